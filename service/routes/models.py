"""What `model` may name."""

from fastapi import APIRouter, Depends

from service import listings
from service.answers import Model, ModelList
from service.dependencies import GrantDependency, PartsDependency, RequireKey
from service.routes.responses import GUARDED, errors

router = APIRouter(tags=["models"], dependencies=[Depends(RequireKey("inference"))])


@router.get("/v1/models", operation_id="listModels", responses=GUARDED)
async def list_models(parts: PartsDependency, grant: GrantDependency) -> ModelList:
    """The base model, the tasks, their aliases and their versions, as far as the key opens them."""
    return ModelList(data=listings.models(parts, grant))


@router.get(
    "/v1/models/{model_id:path}",
    operation_id="getModel",
    responses={**GUARDED, **errors(404)},
)
async def get_model(model_id: str, parts: PartsDependency, grant: GrantDependency) -> Model:
    """One model."""
    return listings.model(parts, grant, model_id)
