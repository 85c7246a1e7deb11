"""Checking a chain of thought: every calculation of a text recomputed. Needs no engine."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

import reasoning
from service.dependencies import RequireKey
from service.routes.responses import GUARDED_BODY
from service.strict import Body

MAX_TEXT_CHARACTERS = 20_000

router = APIRouter(tags=["chains"], dependencies=[Depends(RequireKey("inference"))])


class CheckRequest(Body):
    """A chain of thought in English or Chinese, and the right answer if it is known."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
    gold: Annotated[str | None, Field(max_length=200)] = None


class CheckedStep(BaseModel):
    """One step: what it says, what it states, what that comes to."""

    text: str
    stated: str | None
    recomputed: str | None
    ok: bool


class CheckedChain(BaseModel):
    """The verdict on a chain; it is consistent if every step is, and the answer is last and follows."""

    steps: list[CheckedStep]
    answer: str | None
    matches_gold: bool | None
    consistent: bool


@router.post("/v1/cot/check", operation_id="checkChain", responses=GUARDED_BODY)
def check_chain(body: CheckRequest) -> CheckedChain:
    """Recompute every calculation of a text, and compare its conclusion."""
    report = reasoning.check(body.text, body.gold)
    return CheckedChain(
        steps=[
            CheckedStep(text=step.text, stated=step.stated, recomputed=step.recomputed, ok=step.ok)
            for step in report.steps
        ],
        answer=report.answer,
        matches_gold=report.matches_gold,
        consistent=report.consistent,
    )
