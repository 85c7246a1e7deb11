"""What can go wrong while word problems are loaded, drawn or written."""


class ProblemError(Exception):
    """Templates do not hold together, or cannot give what was asked of them."""
