"""Prometheus' page: our series, then the engine's own as they are."""

import asyncio

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from service.dependencies import GrantDependency, PartsDependency, RequireKey
from service.routes.responses import GUARDED

router = APIRouter(tags=["metrics"], dependencies=[Depends(RequireKey("inference", "admin"))])


@router.get(
    "/metrics",
    operation_id="getMetrics",
    response_class=PlainTextResponse,
    responses=GUARDED,
)
async def get_metrics(parts: PartsDependency, grant: GrantDependency) -> PlainTextResponse:
    """All series in Prometheus' text format."""
    grant.require_unlimited("/metrics")
    parts.metrics.set_state(
        queued=parts.admission.queued,
        docked=len(parts.docks.berths),
        places=len(parts.docks.berths) + parts.docks.free,
        draining=parts.lifecycle.stopping.is_set(),
    )
    # With hundreds of versions it is long, and no stream should wait for it to be written.
    text = await asyncio.to_thread(lambda: parts.metrics.text() + parts.engine.metrics_text())
    return PlainTextResponse(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)
