"""What is docked, and moving aliases; needs the admin key when keys are set."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from service import listings
from service.answers import AdapterList, AliasMove
from service.dependencies import PartsDependency, RequireKey
from service.requests import PromoteRequest, RollbackRequest
from service.routes.responses import ADMIN_CHANGES, GUARDED

router = APIRouter(prefix="/admin", tags=["admin"], dependencies=[Depends(RequireKey("admin"))])
Name = Annotated[str, Path(max_length=100, description="the adapter's name")]


@router.get("/adapters", operation_id="listAdapters", responses=GUARDED)
async def list_adapters(parts: PartsDependency) -> AdapterList:
    """Every adapter: versions, aliases, what is docked, leases, problems."""
    return listings.adapters(parts)


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
