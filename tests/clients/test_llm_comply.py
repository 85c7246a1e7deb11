"""`llm-comply` holds every answer to OpenAI's own schema; vLLM's server passes 2 of its 9 cases."""

import json
import subprocess
import sys

import pytest

from tests.clients.conftest import API_KEY
from tests.clients.process import Server

pytestmark = pytest.mark.engine
# A text model can take no image, and only a name that OpenAI gives is asked for its reasoning.
NOT_FOR_A_TEXT_MODEL = {"chat-image-input": "failed", "chat-reasoning-summary": "skipped"}


def test_every_case_that_a_text_model_can_pass_is_passed(
    real_server: Server, environment: dict[str, str]
) -> None:
    result = subprocess.run(
        [
            *(sys.executable, "-m", "llm_comply.cli", "--format", "openai-chat", "--json"),
            *("-u", f"{real_server.url}/v1", "-k", API_KEY, "-m", "quote"),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    cases = json.loads(result.stdout[result.stdout.index("{") :])["results"]
    missed = {case["id"]: case["status"] for case in cases if case["status"] != "passed"}
    assert missed == NOT_FOR_A_TEXT_MODEL, result.stdout
    assert len(cases) == 9
