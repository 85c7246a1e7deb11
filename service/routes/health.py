"""Liveness and readiness; the only routes that never need a key."""

from fastapi import APIRouter

from service import listings
from service.answers import Health
from service.dependencies import PartsDependency
from service.errors import NotReady
from service.routes.responses import OPEN, errors

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", operation_id="getLiveness", responses=OPEN)
async def get_liveness() -> Health:
    """The process answers; says nothing about the engine."""
    return Health(status="alive")


@router.get("/ready", operation_id="getReadiness", responses={**OPEN, **errors(503)})
async def get_readiness(parts: PartsDependency) -> Health:
    """Requests can be served; otherwise 503 with the reasons."""
    reasons = parts.lifecycle.reasons()
    # The supervisor looks every now and then; a balancer should hear of a death at once.
    if not reasons and not parts.engine.alive():
        reasons = ["the engine stopped"]
    if reasons:
        raise NotReady(f"The server is not ready: {'; '.join(reasons)}.")
    return Health(status="ready", problems=listings.count_problems(parts))
