"""What can go wrong while a data set is converted."""


class ConversionError(Exception):
    """A file cannot be converted; the message says what to do about it."""
