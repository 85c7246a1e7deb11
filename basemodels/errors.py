"""What can go wrong with a base model, said in one sentence with a remedy."""


class BaseModelError(Exception):
    """A base model is unknown, incomplete, of an unsupported kind, or could not be fetched."""
