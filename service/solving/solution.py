"""What solving answers: the program, its steps, the answer or the reason for none, and the doubts."""

from typing import Literal

from pydantic import BaseModel, Field

from service.answers import Usage

Abstention = Literal[
    "empty_question",
    "no_numbers",
    "length",
    "no_program",
    "not_executable",
    "not_grounded",
    "nothing_computed",
    "disagreement",
    "low_score",
]

ABSTENTIONS: dict[Abstention, str] = {
    "empty_question": "the question has no text",
    "no_numbers": "the question gives no number to compute with, so it is no calculation",
    "length": "the model reached its limit of tokens before it had finished",
    "no_program": "what the model wrote is no program of the dialect",
    "not_executable": "the program has no exact value, or not within the limits",
    "not_grounded": "the program uses a number that is neither the question's nor a usual "
    "constant, or none of the question's numbers",
    "nothing_computed": "the program returns a literal that no step computes",
    "disagreement": "too few of the sampled programs give the same answer",
    "low_score": "the verifier thinks too little of the program",
}


class SolvedStep(BaseModel):
    """One line of the program as it was run; the last is `return`."""

    line: int
    name: str
    value: str
    expression: str


class Verdict(BaseModel):
    """What was checked; `null` where it does not apply."""

    parsed: bool = Field(description="the text is a program")
    executed: bool = Field(description="the program has an exact value within the limits")
    grounded: bool | None = Field(
        None, description="all its numbers are the question's or usual constants"
    )
    agreement: float | None = Field(
        None, description="share of the samples with this answer; null for a single one"
    )
    verifier_score: float | None = Field(
        None, description="the verifier's probability that the program is right"
    )
    limits: list[str] = Field(default_factory=list, description="limits that were reached")


class Alternative(BaseModel):
    """Another answer that sampled programs gave."""

    answer: str
    count: int
    doubt: Abstention | None = Field(
        None, description="why it did not take part in the vote; null if it did"
    )


class Solved(BaseModel):
    """An answer that was computed, or the reason why there is none."""

    answer: str | None = Field(description="an integer, a decimal or a fraction such as 1/3")
    program: str = Field(description="as the model wrote it")
    trace: list[SolvedStep]
    verdict: Verdict
    alternatives: list[Alternative]
    abstained: Abstention | None = Field(description="why there is no answer")


class Solution(Solved):
    """The answer of `/v1/pseudocode/solve`."""

    id: str
    object: Literal["pseudocode.solution"] = "pseudocode.solution"
    created: int
    model: str = Field(description="the exact version that wrote the program, such as `task@3`")
    usage: Usage = Field(description="all samples and the verifier together")
