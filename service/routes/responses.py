"""The error answers of each kind of route, for `openapi.yaml`; all have the same body."""

from service.problems import ErrorBody

Responses = dict[int | str, dict[str, object]]

_TEXTS = {
    400: "the body is wrong; `param` names the field",
    401: "no key, or not the one this route needs",
    403: "the key is limited to other adapters",
    404: "there is no such thing",
    408: "the body did not arrive in time",
    409: "the alias stays where it was, and why",
    413: "the body is larger than this server takes",
    415: "the body is compressed",
    429: "the key is used too much; see `Retry-After`",
    500: "a mistake of the server",
    503: "not now: starting, overloaded, restarting or shutting down; see `Retry-After`",
}


def errors(*statuses: int) -> Responses:
    """Describe the given statuses."""
    return {status: {"model": ErrorBody, "description": _TEXTS[status]} for status in statuses}


OPEN = errors(500)
GUARDED = errors(401, 403, 429, 500)
GUARDED_QUERY = errors(400, 401, 403, 429, 500)
GUARDED_BODY = errors(400, 401, 403, 408, 413, 415, 429, 500)
ADMIN_CHANGES = errors(400, 401, 403, 404, 408, 409, 413, 415, 429, 500, 503)
INFERENCE = errors(400, 401, 403, 404, 408, 413, 415, 429, 500, 503)
