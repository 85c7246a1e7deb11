"""What a check of a chain-of-thought finds."""

from typing import NamedTuple


class Step(NamedTuple):
    """One step; a sentence with several calculations is several steps.

    Attributes:
        text: The calculation with its sentence, or the sentence if it states none.
        stated: The value the text gives, or `None` where nothing is calculated.
        recomputed: The value it should give, exact: `10/3` rather than `3.33`.
        ok: Whether both agree; true where nothing is calculated.
        start: Where the stated value begins in the whole text.
        end: Where it ends.
    """

    text: str
    stated: str | None
    recomputed: str | None
    ok: bool
    start: int
    end: int


class Report(NamedTuple):
    """A chain-of-thought, step by step.

    Attributes:
        steps: In reading order, the conclusion not among them.
        answer: What follows `Answer:` or `答案：`, or `None` if nothing does.
        answer_last: Whether the text ends with it.
        answer_supported: Whether it is the value of some step; true where nothing is calculated
            or the answer is no number.
        matches_gold: Whether it equals the gold answer; `None` without one.
    """

    steps: list[Step]
    answer: str | None
    answer_last: bool
    answer_supported: bool
    matches_gold: bool | None

    @property
    def calculations(self) -> list[Step]:
        """The steps that state a value."""
        return [step for step in self.steps if step.stated is not None]

    @property
    def consistent(self) -> bool:
        """Whether every step is right, and the conclusion is there, last, and follows.

        It follows if it equals the gold answer, or without one, if some step comes to it.
        """
        if self.answer is None or not self.answer_last or not all(step.ok for step in self.steps):
            return False
        return self.answer_supported if self.matches_gold is None else self.matches_gold
