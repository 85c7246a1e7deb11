"""What `model` may name."""

from fastapi import APIRouter, Depends

from service import listings
from service.answers import Model, ModelList
from service.dependencies import PartsDependency, RequireKey
from service.routes.responses import GUARDED, errors

router = APIRouter(tags=["models"], dependencies=[Depends(RequireKey("inference"))])


@router.get("/v1/models", operation_id="listModels", responses=GUARDED)
async def list_models(parts: PartsDependency) -> ModelList:
    """The base model, the tasks, their aliases and their versions."""
    return ModelList(data=listings.models(parts))


@router.get(
    "/v1/models/{model_id:path}",
    operation_id="getModel",
    responses={**GUARDED, **errors(404)},
)
async def get_model(model_id: str, parts: PartsDependency) -> Model:
    """One model."""
    return listings.model(parts, model_id)
