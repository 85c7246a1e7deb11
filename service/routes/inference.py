"""Chat and text completions, and responses."""

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from service.answers import ChatCompletion, Completion, ResponseObject
from service.dependencies import ExchangeDependency, PartsDependency, RequireKey
from service.requests import ChatRequest, CompletionRequest
from service.responses_answers import ResponseFrame
from service.responses_requests import ResponsesRequest
from service.routes.responses import INFERENCE, Responses

_STREAM: Responses = {
    200: {
        "description": "one JSON object, or with `stream` server-sent events that end in `[DONE]`",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}

router = APIRouter(tags=["inference"], dependencies=[Depends(RequireKey("inference"))])


@router.post(
    "/v1/chat/completions",
    operation_id="createChatCompletion",
    response_model=ChatCompletion,
    responses={**INFERENCE, **_STREAM},
)
async def create_chat_completion(
    body: ChatRequest, exchange: ExchangeDependency, parts: PartsDependency
) -> Response:
    """Answer a conversation; an adapter's own template renders it."""
    return await exchange.answer(parts.engine.chat, body)


@router.post(
    "/v1/completions",
    operation_id="createCompletion",
    response_model=Completion,
    responses={**INFERENCE, **_STREAM},
)
async def create_completion(
    body: CompletionRequest, exchange: ExchangeDependency, parts: PartsDependency
) -> Response:
    """Continue a text as it stands."""
    return await exchange.answer(parts.engine.complete, body)


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
