"""What Ray's ingress does with HTTP messages, without Ray: which adapter a body names, what travels on."""

import json

from starlette.types import Message, Receive, Scope, Send

PORTABLE = (
    *("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string"),
    *("headers", "client", "server"),
)


def portable(scope: Scope) -> Scope:
    """The part of a scope that travels between processes."""
    return {"root_path": "", **{name: scope[name] for name in PORTABLE if name in scope}}


async def read(receive: Receive, max_bytes: int) -> bytes:
    """The body; of one that is too long as much as the service needs to refuse it."""
    body = b""
    while len(body) <= max_bytes:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


def adapter_of(body: bytes) -> str:
    """The adapter that a body names, whatever version of it; empty where there is none."""
    try:
        fields = json.loads(body)
    except ValueError:
        return ""
    model = fields.get("model") if isinstance(fields, dict) else None
    return model.partition("@")[0] if isinstance(model, str) else ""


def sends_events(message: Message) -> bool:
    """Whether an answer begins that is a stream of events."""
    headers = dict(message.get("headers", []))
    return bool(headers.get(b"content-type", b"").startswith(b"text/event-stream"))


def problem(text: str) -> bytes:
    """An error in the form of the API."""
    error = {"message": text, "type": "server_error", "param": None, "code": "no_replica"}
    return json.dumps({"error": error}).encode()


CUT = b"data: " + problem("The replica ended while it answered. Ask again.") + b"\n\n"


async def say_unavailable(send: Send) -> None:
    """503, as nginx answers it."""
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"5")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": problem("No replica answers. Try again.")})
