"""What a trace of a request holds: names, parents, figures, and how it ended."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import service.tracing
from service.cli import main
from service.engine.fake import FakeEngine
from service.engine.protocol import JSON, DockedAdapter
from service.engine.trace_headers import TRACE_HEADERS
from service.errors import StartError
from service.tracing import Tracing, open_tracing, traces_url
from tests.service.fake_server import make_engine
from tests.service.memory_store import MemoryStore
from tests.service.otlp_receiver import receiving
from tests.service.running import Running, listening, running, until
from tests.service.tiny_store import make_store

ROOT = Path(__file__).resolve().parents[2]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=x"}


class ListeningEngine(FakeEngine):
    """Keeps the trace that each chat belongs to."""

    def __init__(self) -> None:
        super().__init__()
        self.traces: list[Mapping[str, str]] = []

    async def chat(
        self, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        self.traces.append(TRACE_HEADERS.get())
        return await super().chat(body, adapter, request_id)


@pytest.fixture
def engine() -> ListeningEngine:
    return ListeningEngine()


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter) -> Tracing:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracing(provider)


@pytest.fixture
async def app(
    engine: FakeEngine, memory_store: MemoryStore, tracing: Tracing
) -> AsyncIterator[Running]:
    async with running(engine, memory_store, tracing=tracing) as started:
        yield started


def pair(spans: Sequence[ReadableSpan]) -> tuple[ReadableSpan, ReadableSpan]:
    """The only answer's span, and that of its request."""
    answer, request = spans
    assert request.kind is SpanKind.SERVER
    assert answer.kind is SpanKind.INTERNAL
    assert answer.parent is not None
    assert request.context is not None
    assert answer.parent.span_id == request.context.span_id
    return answer, request


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_a_request_and_its_answer_carry_the_names_of_the_conventions(
    app: Running, exporter: InMemorySpanExporter
) -> None:
    response = await app.chat("alpha", temperature=0.5, max_tokens=20)
    answer, request = pair(exporter.get_finished_spans())
    assert (answer.name, request.name) == ("chat alpha", "POST /v1/chat/completions")
    told = attributes(answer)
    assert told.pop("loradock.queue.duration") >= 0  # type: ignore[operator]
    usage = response.json()["usage"]
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "loradock",
        "gen_ai.request.model": "alpha",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 20,
        "gen_ai.response.model": "alpha@1",
        "gen_ai.usage.input_tokens": usage["prompt_tokens"],
        "gen_ai.usage.output_tokens": usage["completion_tokens"],
        "loradock.adapter.name": "alpha",
        "loradock.adapter.version": "1",
        "loradock.ending": "complete",
    }
    assert attributes(request) == {
        "http.request.method": "POST",
        "url.path": "/v1/chat/completions",
        "http.route": "/v1/chat/completions",
        "http.response.status_code": 200,
        "loradock.request.id": response.headers["x-request-id"],
    }
    assert answer.status.status_code is request.status.status_code is StatusCode.UNSET
    assert "Hello" not in answer.to_json() + request.to_json()


async def test_a_stream_is_traced_to_its_last_byte_with_the_time_to_the_first_chunk(
    app: Running, engine: ListeningEngine, exporter: InMemorySpanExporter
) -> None:
    engine.faults.token_delay_s = 0.01
    await app.complete("alpha@2", stream=True)
    answer, _ = pair(exporter.get_finished_spans())
    told = attributes(answer)
    assert answer.name == "text_completion alpha@2"
    assert told["gen_ai.request.stream"] is True
    assert told["gen_ai.response.model"] == "alpha@2"
    assert told["gen_ai.usage.output_tokens"] == 8
    assert answer.end_time is not None
    assert answer.start_time is not None
    lasted_s = (answer.end_time - answer.start_time) / 1e9
    assert 0.01 <= float(str(told["gen_ai.response.time_to_first_chunk"])) < lasted_s


async def test_the_base_has_no_version_of_an_adapter(
    app: Running, exporter: InMemorySpanExporter
) -> None:
    await app.chat("fake-base")
    told = attributes(exporter.get_finished_spans()[0])
    assert told["gen_ai.response.model"] == "fake-base"
    assert told["loradock.adapter.name"] == "base"


async def test_a_clients_trace_is_taken_up_and_handed_to_the_engine(
    app: Running, engine: ListeningEngine, exporter: InMemorySpanExporter
) -> None:
    body = {"model": "alpha", "messages": [{"role": "user", "content": "Hello"}]}
    await app.client.post("/v1/chat/completions", json=body, headers=TRACEPARENT)
    answer, request = pair(exporter.get_finished_spans())
    assert request.parent is not None
    assert f"{request.parent.span_id:016x}" == PARENT
    assert answer.context is not None
    assert f"{answer.context.trace_id:032x}" == TRACE
    own = f"00-{TRACE}-{answer.context.span_id:016x}-01"
    assert engine.traces == [{"traceparent": own, "tracestate": "vendor=x"}]


@pytest.mark.parametrize("given", ["nonsense", f"00-{'0' * 32}-{PARENT}-01"])
async def test_a_trace_that_is_none_begins_a_new_one(
    app: Running, exporter: InMemorySpanExporter, given: str
) -> None:
    await app.client.get("/v1/models", headers={"traceparent": given})
    (request,) = exporter.get_finished_spans()
    assert request.parent is None
    assert request.name == "GET /v1/models"


async def test_refused_requests_say_why(
    app: Running, engine: ListeningEngine, exporter: InMemorySpanExporter
) -> None:
    await app.chat("nobody")
    answer, request = pair(exporter.get_finished_spans())
    assert attributes(answer)["error.type"] == "model_not_found"
    assert answer.status.status_code is StatusCode.ERROR
    assert attributes(request)["http.response.status_code"] == 404
    assert request.status.status_code is StatusCode.UNSET
    exporter.clear()
    engine.faults.overloaded = True
    await app.chat("alpha", stream=True)
    answer, request = pair(exporter.get_finished_spans())
    assert attributes(answer)["loradock.ending"] == "refused"
    assert attributes(request)["error.type"] == "503"
    assert request.status.status_code is StatusCode.ERROR


async def test_a_stream_that_the_engines_death_cuts_off_is_an_error_beneath_a_200(
    app: Running, engine: ListeningEngine, exporter: InMemorySpanExporter
) -> None:
    engine.faults.dies_after_tokens = 3
    await app.complete("alpha", stream=True)
    answer, request = pair(exporter.get_finished_spans())
    told = attributes(answer)
    assert told["error.type"] == "engine_unavailable"
    assert told["loradock.ending"] == "cut"
    assert told["gen_ai.response.model"] == "alpha@1"
    assert "gen_ai.usage.output_tokens" not in told
    assert attributes(request)["http.response.status_code"] == 200


async def test_a_stream_that_the_shutdown_cuts_off_says_so(
    app: Running, engine: ListeningEngine, exporter: InMemorySpanExporter
) -> None:
    engine.faults.token_delay_s = 0.05
    stream = asyncio.create_task(app.complete("alpha", stream=True))
    await until(lambda: engine.running)
    await asyncio.sleep(0.12)
    app.parts.lifecycle.cut_all()
    await stream
    answer, _ = pair(exporter.get_finished_spans())
    assert attributes(answer)["error.type"] == "shutting_down"


async def test_a_client_that_leaves_ends_both_spans(
    engine: ListeningEngine,
    memory_store: MemoryStore,
    tracing: Tracing,
    exporter: InMemorySpanExporter,
) -> None:
    async with listening(engine, memory_store, tracing=tracing) as app:
        engine.faults.token_delay_s = 0.1
        body = {"model": "alpha", "prompt": "Hello", "stream": True}
        async with app.client.stream("POST", "/v1/completions", json=body) as response:
            await anext(response.aiter_lines())
        await until(lambda: len(exporter.get_finished_spans()) == 2)
    answer, request = pair(exporter.get_finished_spans())
    assert attributes(answer)["error.type"] == "client_gone"
    assert attributes(request)["http.response.status_code"] == 499


async def test_health_and_metrics_are_not_traced(
    app: Running, exporter: InMemorySpanExporter
) -> None:
    await app.client.get("/health/ready")
    await app.metrics()
    assert exporter.get_finished_spans() == ()
    await app.client.get("/nothing/here")
    (request,) = exporter.get_finished_spans()
    assert (request.name, attributes(request)["http.response.status_code"]) == ("GET", 404)


async def test_spans_arrive_at_a_collector_by_the_end(
    engine: ListeningEngine, memory_store: MemoryStore
) -> None:
    with receiving() as receiver:
        tracing = open_tracing(receiver.url)
        async with running(engine, memory_store, tracing=tracing) as app:
            await app.chat("alpha", stream=True)
        tracing.close()
        answer, request = (
            receiver.wait_for("chat alpha"),
            receiver.wait_for("POST /v1/chat/completions"),
        )
    assert answer.parent_span_id == request.span_id
    assert answer.trace_id == request.trace_id
    told = {pair.key: pair.value for pair in answer.attributes}
    assert told["gen_ai.usage.output_tokens"].int_value == 8
    assert told["loradock.adapter.version"].string_value == "1"
    assert receiver.paths == ["/v1/traces"]
    assert receiver.services == {"loradock"}


def test_a_collector_that_hangs_does_not_hold_up_the_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service.tracing, "EXPORT_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracing = open_tracing(f"http://127.0.0.1:{silent.getsockname()[1]}")
        for number in range(1500):
            span = tracing.request("GET", "/", {})
            span.end({"method": "GET", "state": {"request_id": str(number)}}, 200)
        start_s = time.monotonic()
        tracing.close()
        assert time.monotonic() - start_s < 1.5


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/traces"),
        ("https://example.org/otlp", "https://example.org/otlp"),
    ],
)
def test_the_usual_path_is_added_where_none_is_named(endpoint: str, url: str) -> None:
    assert traces_url(endpoint) == url


def test_without_the_packages_the_start_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(StartError, match="is not installed"):
        open_tracing("http://127.0.0.1:4318")
    store, base = make_store(tmp_path)
    flags = ["--base", str(base), "--store", str(store.root), "--port", "0"]
    assert main([*flags, "--traces-endpoint", "http://127.0.0.1:4318"], make_engine) == 2
    assert "requirements/tracing.in" in capsys.readouterr().err
    assert main([*flags, "--traces-endpoint", "127.0.0.1:4318"], make_engine) == 2
    assert "traces_endpoint='127.0.0.1:4318'" in capsys.readouterr().err


async def test_off_it_costs_the_engine_nothing(
    engine: ListeningEngine, memory_store: MemoryStore
) -> None:
    TRACE_HEADERS.set({})
    async with running(engine, memory_store) as app:
        body = {"model": "alpha", "messages": [{"role": "user", "content": "Hello"}]}
        response: httpx.Response = await app.client.post(
            "/v1/chat/completions", json=body, headers=TRACEPARENT
        )
    assert response.status_code == 200
    assert engine.traces == [{}]


def test_off_nothing_of_it_is_imported() -> None:
    code = (
        "import sys, service.cli; from service.app import bare_app; bare_app(); "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
