"""What a benchmark says when it cannot measure."""


class BenchmarkError(Exception):
    """A measurement could not be made; the text says what failed and what to do."""
