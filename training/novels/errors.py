"""What can go wrong between a book and rows."""


class NovelError(Exception):
    """A book cannot be used; the message says what to do about it."""
