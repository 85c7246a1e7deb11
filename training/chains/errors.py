"""What can go wrong while chains are made."""

from training.errors import TrainingError


class ChainError(TrainingError):
    """Chains cannot be made of a file; the message says what to do about it."""
