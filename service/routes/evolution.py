"""The next algorithm of a chain."""

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from service.bodies import StrictRoute
from service.dependencies import ExchangeDependency, PartsDependency, RequireKey
from service.evolution import EvolutionAnswer, EvolutionRequest, Proposer, chat_request
from service.routes.responses import INFERENCE

router = APIRouter(
    route_class=StrictRoute, tags=["evolution"], dependencies=[Depends(RequireKey("inference"))]
)


@router.post(
    "/v1/evolution/next",
    operation_id="proposeNextAlgorithm",
    response_model=EvolutionAnswer,
    responses=INFERENCE,
)
async def propose_next(
    body: EvolutionRequest, exchange: ExchangeDependency, parts: PartsDependency
) -> Response:
    """Propose what follows a chain of algorithms; programs among the proposals are run."""
    proposer = Proposer(parts.engine.chat, body)
    return await exchange.answer(proposer.answer, chat_request(body))
