"""Chat and text completions, and responses."""

from functools import partial

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from service import continuing
from service.answers import ChatCompletion, Completion, ResponseObject
from service.bodies import StrictRoute
from service.dependencies import ExchangeDependency, PartsDependency, RequireKey
from service.requests import ChatRequest, CompletionRequest
from service.responses_answers import ResponseFrame
from service.responses_requests import ResponsesRequest
from service.routes.responses import INFERENCE, Responses
from service.solving.chat import answer_chat
from service.solving.solver import Solver

_EVENT = {
    "type": "object",
    "properties": {"data": {"type": "string", "description": "a chunk as JSON, or `[DONE]`"}},
    "required": ["data"],
}
_STREAM: Responses = {
    200: {
        "description": "one JSON object, or with `stream` server-sent events that end in `[DONE]`",
        "content": {"text/event-stream": {"schema": _EVENT}},
    }
}

router = APIRouter(
    route_class=StrictRoute, tags=["inference"], dependencies=[Depends(RequireKey("inference"))]
)


@router.post(
    "/v1/chat/completions",
    operation_id="createChatCompletion",
    response_model=ChatCompletion,
    responses={**INFERENCE, **_STREAM},
)
async def create_chat_completion(
    body: ChatRequest, exchange: ExchangeDependency, parts: PartsDependency
) -> Response:
    """Answer a conversation; an adapter's own template renders it, and programs are solved."""
    return await exchange.answer(partial(answer_chat, Solver(parts), body), body)


@router.post(
    "/v1/completions",
    operation_id="createCompletion",
    response_model=Completion,
    responses={**INFERENCE, **_STREAM},
)
async def create_completion(
    body: CompletionRequest, exchange: ExchangeDependency, parts: PartsDependency
) -> Response:
    """Continue a text as it stands; with `continuation` beyond the context window."""
    return await exchange.answer(partial(continuing.complete, parts.engine, body), body)


@router.post(
    "/v1/responses",
    operation_id="createResponse",
    response_model=ResponseObject,
    responses={**INFERENCE, **_STREAM},
)
async def create_response(
    body: ResponsesRequest, exchange: ExchangeDependency, parts: PartsDependency
) -> Response:
    """Answer a conversation in the form of the Responses API; nothing is stored."""
    return await exchange.answer(parts.engine.chat, body, ResponseFrame(body))
