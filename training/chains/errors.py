"""What can go wrong while chains are made."""


class ChainError(Exception):
    """Chains cannot be made of a file; the message says what to do about it."""
