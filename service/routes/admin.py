"""What is docked, and moving aliases; needs the admin key when keys are set."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from service import facts, listings
from service.admin_requests import (
    CanaryRequest,
    PromoteRequest,
    RollbackRequest,
    VersionRequest,
)
from service.answers import AdapterList, AdapterState, AliasMove, EventList
from service.bodies import StrictRoute
from service.dependencies import GrantDependency, PartsDependency, RequireKey
from service.events import KEPT_EVENTS
from service.facts import AdapterFacts
from service.routes.responses import ADMIN_CHANGES, GUARDED, GUARDED_QUERY, errors
from service.strict import MAX_INTEGER

router = APIRouter(
    prefix="/admin",
    route_class=StrictRoute,
    tags=["admin"],
    dependencies=[Depends(RequireKey("admin"))],
)
Name = Annotated[str, Path(max_length=100, description="the adapter's name")]
Alias = Annotated[str, Path(max_length=64, description="an alias of the adapter")]
After = Annotated[
    int, Query(ge=0, le=MAX_INTEGER, description="number of the last event already seen")
]
Limit = Annotated[int, Query(ge=1, le=KEPT_EVENTS, description="at most so many, the latest")]


@router.get("/adapters", operation_id="listAdapters", responses=GUARDED)
async def list_adapters(parts: PartsDependency, grant: GrantDependency) -> AdapterList:
    """Every adapter: versions, aliases, pins, canaries, what is docked, leases, problems."""
    return listings.adapters(parts, grant)


@router.get("/adapters/{name}", operation_id="getAdapter", responses={**GUARDED, **errors(404)})
async def get_adapter(name: Name, parts: PartsDependency) -> AdapterFacts:
    """One adapter: lineage, data, run and evaluations of its versions, and the moves of its aliases."""
    return await facts.facts(parts, name)


@router.get("/events", operation_id="listEvents", responses=GUARDED_QUERY)
async def list_events(
    parts: PartsDependency, grant: GrantDependency, after: After = 0, limit: Limit = 100
) -> EventList:
    """What happened lately to versions, aliases, keys and the engine, oldest first."""
    return listings.events(parts, grant, after, limit)


@router.post("/adapters/{name}/promote", operation_id="promoteAdapter", responses=ADMIN_CHANGES)
async def promote(name: Name, body: PromoteRequest, parts: PartsDependency) -> AliasMove:
    """Dock and probe a version, then move an alias to it; on failure nothing changes."""
    parts.lifecycle.require_serving()
    move = await parts.promotions.promote(name, body.version, body.alias, body.why)
    return AliasMove(**asdict(move))


@router.post("/adapters/{name}/rollback", operation_id="rollbackAdapter", responses=ADMIN_CHANGES)
async def roll_back(name: Name, body: RollbackRequest, parts: PartsDependency) -> AliasMove:
    """Move an alias back to what it served before; on failure nothing changes."""
    parts.lifecycle.require_serving()
    move = await parts.promotions.roll_back(name, body.alias, body.why)
    return AliasMove(**asdict(move))


@router.post("/adapters/{name}/load", operation_id="loadVersion", responses=ADMIN_CHANGES)
async def load(name: Name, body: VersionRequest, parts: PartsDependency) -> AdapterState:
    """Dock a version before anybody asks for it."""
    parts.lifecycle.require_serving()
    await parts.changes.load(name, body.version)
    return listings.adapter(parts, name)


@router.post("/adapters/{name}/unload", operation_id="unloadVersion", responses=ADMIN_CHANGES)
async def unload(name: Name, body: VersionRequest, parts: PartsDependency) -> AdapterState:
    """Undock a version once its requests have ended; no alias may serve it."""
    parts.lifecycle.require_serving()
    await parts.changes.unload(name, body.version)
    return listings.adapter(parts, name)


@router.post("/adapters/{name}/pin", operation_id="pinVersion", responses=ADMIN_CHANGES)
async def pin(name: Name, body: VersionRequest, parts: PartsDependency) -> AdapterState:
    """Keep a version docked in every server on this store, whether or not anybody asks for it."""
    parts.lifecycle.require_serving()
    await parts.changes.pin(name, body.version)
    return listings.adapter(parts, name)


@router.post("/adapters/{name}/unpin", operation_id="unpinVersion", responses=ADMIN_CHANGES)
async def unpin(name: Name, body: VersionRequest, parts: PartsDependency) -> AdapterState:
    """Let a pinned version go like any other."""
    await parts.changes.unpin(name, body.version)
    return listings.adapter(parts, name)


@router.post("/adapters/{name}/canaries", operation_id="startCanary", responses=ADMIN_CHANGES)
async def start_canary(name: Name, body: CanaryRequest, parts: PartsDependency) -> AdapterState:
    """Give a version a share of an alias's requests, until the alias is moved."""
    parts.lifecycle.require_serving()
    await parts.changes.start_canary(
        name, body.alias, body.version, percent=body.percent, why=body.why
    )
    return listings.adapter(parts, name)


@router.delete(
    "/adapters/{name}/canaries/{alias}", operation_id="endCanary", responses=ADMIN_CHANGES
)
async def end_canary(name: Name, alias: Alias, parts: PartsDependency) -> AdapterState:
    """Give all requests back to the alias's own version."""
    await parts.changes.end_canary(name, alias)
    return listings.adapter(parts, name)
