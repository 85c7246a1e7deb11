"""What is asked of a model that continues stories; knows of no model."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from training.rows import Row


class Sampling(NamedTuple):
    """How tokens are drawn; a temperature of 0 takes the likeliest."""

    temperature: float
    top_p: float

    def __str__(self) -> str:
        """As the command line has it."""
        return f"{self.temperature:g}/{self.top_p:g}"

    @classmethod
    def parse(cls, text: str) -> "Sampling":
        """Read what the command line has.

        Raises:
            ValueError: It is no temperature up to 2 and top_p up to 1, with a slash between.
        """
        temperature, top_p = map(float, text.split("/"))
        if not (0 <= temperature <= 2 and 0 < top_p <= 1):
            raise ValueError(text)
        return cls(temperature, top_p)


class Written(NamedTuple):
    """One continuation.

    Attributes:
        text: Without the end-of-text token.
        ended: Whether the model ended it, rather than its limit of tokens.
    """

    text: str
    ended: bool


class Writer(Protocol):
    """A model under evaluation."""

    name: str

    def nats(self, rows: Sequence[Row]) -> list[float]:
        """Negative log-probability of each row's output after its prompt, end of text left out."""

    def write(
        self, prompts: Sequence[str], sampling: Sampling, max_tokens: int, seed: int
    ) -> list[Written]:
        """Continue each prompt."""
