"""Checking a chain of thought: every calculation of a text recomputed. Needs no engine."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from service.answers import CheckedChain
from service.bodies import StrictRoute
from service.chains import MAX_TEXT_CHARACTERS, check
from service.dependencies import RequireKey
from service.routes.responses import GUARDED_BODY
from service.strict import Body

router = APIRouter(
    route_class=StrictRoute, tags=["chains"], dependencies=[Depends(RequireKey("inference"))]
)


class CheckRequest(Body):
    """A chain of thought in English or Chinese, and the right answer if it is known."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
    gold: Annotated[str | None, Field(max_length=200)] = None


@router.post("/v1/cot/check", operation_id="checkChain", responses=GUARDED_BODY)
def check_chain(body: CheckRequest) -> CheckedChain:
    """Recompute every calculation of a text, and compare its conclusion."""
    return check(body.text, body.gold)
