"""Solving: questions in, answers that were computed out."""

from functools import partial

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from service.bodies import StrictRoute
from service.dependencies import ExchangeDependency, PartsDependency, RequireKey
from service.routes.responses import INFERENCE, Responses
from service.solving.options import SolveRequest
from service.solving.solution import Solution
from service.solving.solver import Solver

_STREAM: Responses = {
    200: {
        "description": "one JSON object, or with `stream` server-sent events: one "
        "`pseudocode.step` per finished line, the solution, and `[DONE]`",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}

router = APIRouter(
    route_class=StrictRoute, tags=["pseudocode"], dependencies=[Depends(RequireKey("inference"))]
)


@router.post(
    "/v1/pseudocode/solve",
    operation_id="solve",
    response_model=Solution,
    responses={**INFERENCE, **_STREAM},
)
async def solve(
    body: SolveRequest, exchange: ExchangeDependency, parts: PartsDependency
) -> Response:
    """Solve a question by a program that is checked and run; without an answer, say why."""
    return await exchange.answer(partial(Solver(parts).answer, body), body)
