"""vLLM's own span of a request lies beneath the one whose headers it was handed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.service.otlp_receiver import WAIT_S, receiving

ROOT = Path(__file__).resolve().parents[3]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.engine
def test_vllms_spans_join_the_trace_of_the_request(tiny_base: Path) -> None:
    with receiving() as receiver:
        command = [sys.executable, "-m", "tests.service.engine.traced"]
        told = subprocess.run(
            [*command, str(tiny_base), f"{receiver.url}/v1/traces", f"00-{TRACE}-{PARENT}-01"],
            cwd=ROOT,
            env=os.environ | {"OTEL_BSP_SCHEDULE_DELAY": "100"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr[-2000:]
        deadline_s = time.monotonic() + WAIT_S
        spans: list[Span] = []
        while len(spans) < 2 and time.monotonic() < deadline_s:
            spans = [span for span in receiver.spans if span.name == "llm_request"]
    assert [(span.trace_id.hex(), span.parent_span_id.hex()) for span in spans] == [
        (TRACE, PARENT),
        (TRACE, PARENT),
    ]
    told_tokens = {pair.key: pair.value.int_value for span in spans for pair in span.attributes}
    assert told_tokens["gen_ai.usage.completion_tokens"] == 3
    assert receiver.services == {"loradock"}
