"""What can go wrong while word problems are loaded, drawn or written."""

from training.errors import TrainingError


class ProblemError(TrainingError):
    """Templates do not hold together, or cannot give what was asked of them."""

    code = "problems_refused"
