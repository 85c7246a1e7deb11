"""What a client may ask of solving, bounded; the body of `/v1/pseudocode/solve`."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pseudocode.question_numbers import QuestionLanguage
from service.engine.protocol import JSON

MAX_SAMPLES = 16
MAX_QUESTION_CHARACTERS = 8192
DEFAULT_MODEL = "pseudocode"


@dataclass(frozen=True)
class SolvingRules:
    """What the server decides about solving.

    Attributes:
        verifier: The adapter that scores programs.
        min_agreement: Share of the samples that must give an answer for it to be given.
        min_verifier_score: Probability that a verifier must see in the best program for that.
    """

    verifier: str
    min_agreement: float
    min_verifier_score: float


class SolveOptions(BaseModel):
    """How a question is solved."""

    model_config = ConfigDict(extra="forbid")

    samples: int = Field(
        1,
        ge=1,
        le=MAX_SAMPLES,
        description="programs to vote among: one greedy, the others drawn",
    )
    grammar: Literal["none", "dialect", "grounded"] = Field(
        "dialect",
        description="what the model may write: anything, programs, or programs whose only "
        "literals are the question's numbers and a few constants",
    )
    verify: bool = Field(False, description="let the verifier's scores weigh the votes")
    language: QuestionLanguage | None = Field(
        None, description="whose number words the question has; unset: both are read"
    )


class SolveRequest(SolveOptions):
    """A question to be solved by an adapter of the pseudocode task."""

    question: str = Field(max_length=MAX_QUESTION_CHARACTERS)
    model: str = Field(
        DEFAULT_MODEL,
        min_length=1,
        max_length=200,
        description="an adapter of the pseudocode task: its name, `name@alias` or `name@3`",
    )
    user: str | None = Field(
        None, max_length=200, description="keeps one user on one side of a canary"
    )
    stream: bool = Field(False, description="one event per finished step, then the whole result")

    def wants_usage(self) -> bool:
        """The result carries it, streamed or not."""
        return True

    def for_engine(self) -> JSON:
        """What the engine is asked."""
        return {
            "messages": [{"role": "user", "content": self.question}],
            "stream": self.stream,
        }
