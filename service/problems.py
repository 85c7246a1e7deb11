"""Every error as the body an OpenAI client understands, with its headers.

The shape is the same on all routes and for all causes: `{"error": {message, type, param, code}}`.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.engine.errors import EngineDead, EngineError, EngineOverloaded, RequestRefused
from service.errors import ClientGone, EngineUnavailable, Overloaded, ServiceError, status_of

# Why a field that vLLM would take is refused here.
REFUSED_FIELDS = {
    "chat_template": "an adapter brings its own template; templates of clients are never rendered",
    "chat_template_kwargs": "it can hide a template; templates of clients are never rendered",
    "best_of": "it multiplies the work of one request; ask with n",
    "stop_token_ids": "its cost grows without bound; use stop",
    "guided_json": "use response_format or structured_outputs",
    "guided_regex": "use structured_outputs",
    "guided_choice": "use structured_outputs",
    "guided_grammar": "use structured_outputs",
    "previous_response_id": "nothing is stored here; send the whole conversation as input",
    "conversation": "nothing is stored here; send the whole conversation as input",
    "functions": "it was replaced by tools",
    "function_call": "it was replaced by tool_choice",
}
MAX_PROBLEMS_TOLD = 3
MAX_VALUE_CHARACTERS = 80
UNKNOWN_PATH = "There is no {method} {path}; docs/service.md lists the routes."


class Problem(BaseModel):
    """What went wrong, in OpenAI's terms."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorBody(BaseModel):
    """The body of every answer that is an error."""

    error: Problem = Field(description="what went wrong")


def response_of(error: Exception, state: MutableMapping[str, object]) -> JSONResponse:
    """Answer an error; one that is not in any table becomes 500 without its text.

    Args:
        error: What went wrong.
        state: Of the request; has its id, and gets the error's code as `reason` for the metrics.
    """
    status, problem, headers = describe(error)
    headers = {**headers, "x-request-id": str(state["request_id"])}
    state["reason"] = problem.code or problem.type
    return JSONResponse(ErrorBody(error=problem).model_dump(), status, headers)


def describe(error: Exception) -> tuple[int, Problem, Mapping[str, str]]:
    """Status, body and headers of an error."""
    if isinstance(error, EngineError):
        error = _from_engine(error)
    if isinstance(error, RequestRefused):
        problem = Problem(
            message=error.message, type=_type(error.status), param=error.param, code=error.code
        )
        return error.status, problem, {}
    if isinstance(error, ServiceError):
        return _ours(error)
    if isinstance(error, RequestValidationError):
        return HTTPStatus.BAD_REQUEST, _invalid(error), {}
    if isinstance(error, HTTPException):
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        problem = Problem(message=str(error.detail), type=_type(error.status_code), code=code)
        return error.status_code, problem, dict(error.headers or {})
    problem = Problem(
        message="The server made a mistake; its log says more under this request's id.",
        type="server_error",
        code="internal_error",
    )
    return HTTPStatus.INTERNAL_SERVER_ERROR, problem, {}


def _from_engine(error: EngineError) -> Exception:
    if isinstance(error, EngineDead):
        return EngineUnavailable("The engine stopped; it is being restarted. Try again later.")
    if isinstance(error, EngineOverloaded):
        return Overloaded("The engine's queue is full. Try again later.")
    return error


def _ours(error: ServiceError) -> tuple[int, Problem, Mapping[str, str]]:
    status = status_of(error)
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = "Bearer"
    problem = Problem(message=str(error), type=_type(status), param=error.param, code=error.code)
    return status, problem, headers


def _type(status: int) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return "authentication_error"
    if status == HTTPStatus.FORBIDDEN:
        return "permission_error"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_error"
    return "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "server_error"


def _invalid(error: RequestValidationError) -> Problem:
    """The first few things that are wrong with a body, each with its place."""
    told = [_one(details, error.body) for details in error.errors()[:MAX_PROBLEMS_TOLD]]
    params = [param for param, _, _ in told if param]
    return Problem(
        message=" ".join(dict.fromkeys(message for _, message, _ in told)),
        type="invalid_request_error",
        param=params[0] if params else None,
        code=told[0][2],
    )


def _one(details: Mapping[str, object], body: object) -> tuple[str | None, str, str]:
    kind = str(details["type"])
    location = details["loc"]
    source, *where = list(location) if isinstance(location, Sequence) else [None]
    if kind == "json_invalid":
        context = details.get("ctx")
        reason = context.get("error") if isinstance(context, dict) else None
        return None, f"The body is not JSON: {reason}.", "invalid_json"
    if source != "body":
        param = ".".join(map(str, where))
        got = _short(details.get("input"))
        return param, f"{param}: {details['msg']}, got {got}.", "invalid_value"
    if isinstance(body, bytes) or body is None:
        text = "The body is not a JSON object. Send JSON with `Content-Type: application/json`."
        return None, text, "invalid_json"
    param = _param(where, body, missing=kind == "missing")
    if kind == "extra_forbidden":
        reason = REFUSED_FIELDS.get(str(where[-1]), "no such field is known here")
        return param, f"{param} is refused: {reason}.", "unsupported_parameter"
    text = str(details["msg"]).removeprefix("Value error, ")
    code = "missing_required_parameter" if kind == "missing" else "invalid_value"
    got = "" if kind == "missing" else f", got {_short(details.get('input'))}"
    return param, f"{param or 'The body'}: {text}{got}.", code


def _param(where: Sequence[object], body: object, *, missing: bool) -> str:
    """The path of a value in the body, without the names pydantic gives to a union's branches."""
    path: list[str] = []
    here = body
    for position, part in enumerate(where):
        last_and_missing = missing and position == len(where) - 1
        if isinstance(here, dict) and (part in here or last_and_missing):
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            continue
        path.append(str(part))
    return ".".join(path)


def _short(value: object) -> str:
    text = repr(value)
    if len(text) > MAX_VALUE_CHARACTERS:
        return text[:MAX_VALUE_CHARACTERS] + "…"
    return text


def unknown_path(method: str, path: str) -> HTTPException:
    """There is no such route."""
    detail = UNKNOWN_PATH.format(method=method, path=_short(path))
    return HTTPException(HTTPStatus.NOT_FOUND, detail)


async def answer_error(request: Request, error: Exception) -> JSONResponse:
    """FastAPI's handler for every kind of exception."""
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND:
        error = unknown_path(request.method, request.scope["path"])
    if isinstance(error, ClientGone):
        request.scope["state"]["client_gone"] = True
    return response_of(error, request.scope["state"])
