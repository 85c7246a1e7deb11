"""OpenTelemetry traces: a span for every request, and beneath it one for the answer of a model.

Names are those of the conventions for HTTP and for generative AI (semantic-conventions-genai,
client inference). Off unless an endpoint is set; only then anything of OpenTelemetry is imported.
Prompts and answers are never recorded.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import CLIENT_CLOSED_REQUEST, StartError
from service.problems import describe

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

SERVICE_NAME = "loradock"
TRACES_PATH = "/v1/traces"
EXPORT_TIMEOUT_S = 5
UNTRACED = ("/health/", "/metrics")
ASKED = ("max_tokens", "temperature", "top_p", "stream")
SERVER_ERROR = 500
W3C = ("traceparent", "tracestate")


def traces_url(endpoint: str) -> str:
    """Where spans are sent: the collector's usual path, unless another one is named."""
    return endpoint if urlsplit(endpoint).path.strip("/") else endpoint.rstrip("/") + TRACES_PATH


def open_tracing(endpoint: str) -> "Tracing":
    """Make what traces requests and sends the spans over OTLP/HTTP, in batches.

    Args:
        endpoint: The collector, such as `http://127.0.0.1:4318`.

    Raises:
        StartError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise StartError(
            f"traces_endpoint is {endpoint!r}, but {error.name} is not installed. Expected the "
            "packages of requirements/tracing.in. Install them (`.venv/bin/python -m pip install "
            "-r requirements/tracing.in`), or leave traces_endpoint unset."
        ) from error
    resource = Resource.create({"service.name": SERVICE_NAME})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(traces_url(endpoint), timeout=EXPORT_TIMEOUT_S)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)


class Tracing:
    """Makes spans.

    Args:
        provider: Where they go.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE_NAME)

    def request(self, method: str, path: str, headers: Mapping[str, str]) -> "RequestTrace":
        """Begin the span of a request, beneath the one that its client names, if it names one."""
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        given = {name: headers[name] for name in W3C if name in headers}
        span = self._tracer.start_span(
            method,
            context=TraceContextTextMapPropagator().extract(given),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "url.path": path},
        )
        return RequestTrace(self._tracer, span)

    def close(self) -> None:
        """Send what is left, for `EXPORT_TIMEOUT_S` at most; what nobody takes by then is lost."""
        # A collector that hangs would hold the SDK's own shutdown for a multiple of that.
        sending = threading.Thread(target=self._provider.shutdown, daemon=True)
        sending.start()
        sending.join(EXPORT_TIMEOUT_S)


class RequestTrace:
    """The span of one request, and the way to begin that of its answer."""

    def __init__(self, tracer: "Tracer", span: "Span") -> None:
        self._tracer = tracer
        self._span = span

    def answer(self, operation: str, model: str, body: BaseModel) -> "AnswerTrace":
        """Begin the span of a model's answer.

        Args:
            operation: `chat` or `text_completion`.
            model: As the client named it.
            body: What it asks; only a few of its numbers are recorded.
        """
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415

        attributes: dict[str, str | bool | int | float] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": SERVICE_NAME,
            "gen_ai.request.model": model,
        }
        for name in ASKED:
            value = getattr(body, name, None)
            if isinstance(value, (bool, int, float)):
                attributes[f"gen_ai.request.{name}"] = value
        parent = set_span_in_context(self._span)
        span = self._tracer.start_span(f"{operation} {model}", parent, attributes=attributes)
        return AnswerTrace(span)

    def end(self, scope: Scope, status: int) -> None:
        """End it, with the route and status that came of it."""
        method, route = scope["method"], getattr(scope.get("route"), "path", None)
        if route is not None:
            self._span.update_name(f"{method} {route}")
            self._span.set_attribute("http.route", route)
        state = scope["state"]
        status = CLIENT_CLOSED_REQUEST if state.get("client_gone") else status
        self._span.set_attribute("http.response.status_code", int(status))
        self._span.set_attribute("loradock.request.id", state["request_id"])
        if status >= SERVER_ERROR:
            _fail(self._span, str(int(status)))
        self._span.end()


class AnswerTrace:
    """The span of a model's answer, from its request's arrival to the last byte.

    Attributes:
        headers: What an engine needs to put its own spans beneath.
    """

    def __init__(self, span: "Span") -> None:
        from opentelemetry.trace import set_span_in_context  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        self._span = span
        self.headers: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(self.headers, set_span_in_context(span))

    def failed(self, error: Exception) -> None:
        """It ends in an error; the code that clients read is its type."""
        _, problem, _ = describe(error)
        _fail(self._span, problem.code, problem.message)

    def end(self, model: str | None, log: Mapping[str, str | int | float]) -> None:
        """End it.

        Args:
            model: The exact version that answered, or the base; None: it did not come to that.
            log: What the request's line in the log says of the answer.
        """
        if model is not None:
            self._span.set_attribute("gen_ai.response.model", model)
            self._span.set_attribute("loradock.adapter.name", log["adapter"])
            self._span.set_attribute("loradock.adapter.version", log["version"])
        self._span.set_attribute("loradock.ending", log["ending"])
        self._span.set_attribute("loradock.queue.duration", log["queue_s"])
        if log["prompt_tokens"]:
            self._span.set_attribute("gen_ai.usage.input_tokens", log["prompt_tokens"])
            self._span.set_attribute("gen_ai.usage.output_tokens", log["output_tokens"])
        if "first_token_s" in log:
            self._span.set_attribute("gen_ai.response.time_to_first_chunk", log["first_token_s"])
        if log["ending"] == "client gone":
            _fail(self._span, "client_gone", "The client left before the end of its answer.")
        self._span.end()


def _fail(span: "Span", kind: str | None, text: str | None = None) -> None:
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

    span.set_attribute("error.type", kind or "_OTHER")
    span.set_status(Status(StatusCode.ERROR, text))


class Traced:
    """ASGI middleware around everything else, for a server that traces."""

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(UNTRACED):
            await self._app(scope, receive, send)
            return
        status: int = CLIENT_CLOSED_REQUEST

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        trace = self._tracing.request(scope["method"], scope["path"], Headers(scope=scope))
        scope.setdefault("state", {})["trace"] = trace
        try:
            await self._app(scope, receive, noting)
        finally:
            trace.end(scope, status)
