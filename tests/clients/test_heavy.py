"""Clients with large trees of their own; `scripts/clients` installs and runs them.

They run where `CLIENTS_PYTHON` names the interpreter of their environment.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.store import Store
from tests.clients.conftest import API_KEY, WORDS
from tests.clients.parrots import BASE, Base
from tests.clients.process import Server
from tests.clients.test_schemathesis import described_for
from tests.clients.test_schemathesis import run as run_schemathesis

PYTHON = os.environ.get("CLIENTS_PYTHON")
pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        PYTHON is None, reason="needs an environment of its own: run scripts/clients"
    ),
]
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "OPENAI_API_KEY": API_KEY}

TASK = """
task: parrots
dataset_path: json
dataset_kwargs: {data_files: {test: DATA}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: "{{answer}}"
target_delimiter: ""
metric_list: [{metric: acc}]
"""

LITELLM = """
import os, sys
import litellm
asked = {"api_base": sys.argv[1], "api_key": os.environ["API_KEY"], "max_tokens": 9}
messages = [{"role": "user", "content": "How are you?"}]
whole = litellm.completion("hosted_vllm/alpha@2", messages, **asked)
stream = litellm.completion("openai/alpha@3", messages, stream=True, **asked)
print(whole.choices[0].message.content, whole.usage.completion_tokens, whole.model)
print("".join(chunk.choices[0].delta.content or "" for chunk in stream))
try:
    litellm.completion("openai/nobody", messages, **asked)
except litellm.NotFoundError:
    print("not found")
"""

BENCH = """
import argparse, sys
from vllm.benchmarks.serve import add_cli_args, main
parser = argparse.ArgumentParser()
add_cli_args(parser)
main(parser.parse_args(sys.argv[1:]))
"""


def output_of(command: list[str], environment: dict[str, str], where: Path) -> str:
    result = subprocess.run(
        command,
        cwd=where,
        env={**environment, **OFFLINE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-5000:]
    return result.stdout


def test_lm_eval_scores_each_version_by_its_own_words(
    real_server: Server,
    parrot_store: tuple[Store, Base],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    """It needs echo, log-probabilities, token ids and lists of prompts."""
    choices = list(WORDS["alpha"])
    rows = [
        {"question": question, "choices": choices, "answer": 1}
        for question in ("Say:", "What now? ", "Go on >", "And then:")
    ]
    data = tmp_path / "rows.json"
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "parrots.yaml").write_text(TASK.replace("DATA", str(data)), encoding="utf-8")
    for version, expected in ((1, 0.0), (2, 1.0)):
        output_of(
            [
                *(str(PYTHON), "-m", "lm_eval", "--model", "local-completions"),
                "--model_args",
                f"model=alpha@{version},base_url={real_server.url}/v1/completions,"
                f"tokenizer={parrot_store[1].directory},tokenizer_backend=huggingface,"
                "num_concurrent=4",
                *("--batch_size", "4"),
                *("--tasks", "parrots", "--include_path", str(tmp_path)),
                *("--output_path", str(tmp_path / f"result{version}")),
            ],
            environment,
            tmp_path,
        )
        (found,) = (tmp_path / f"result{version}").rglob("results_*.json")
        assert json.loads(found.read_text())["results"]["parrots"]["acc,none"] == expected


def test_litellm_asks_streams_and_understands_errors(
    real_server: Server, environment: dict[str, str], tmp_path: Path
) -> None:
    said = output_of(
        [str(PYTHON), "-c", LITELLM, f"{real_server.url}/v1"], environment, tmp_path
    ).splitlines()
    second, third = WORDS["alpha"][1:]
    assert {f"{3 * second} 9 alpha@2", 3 * third, "not found"} <= set(said), said


def test_vllms_load_tool_spreads_requests_over_adapters(
    real_server: Server,
    parrot_store: tuple[Store, Base],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    output_of(
        [
            *(sys.executable, "-W", "ignore", "-c", BENCH),
            *("--backend", "openai", "--base-url", real_server.url, "--model", BASE),
            *("--tokenizer", str(parrot_store[1].directory), "--dataset-name", "random"),
            *("--random-input-len", "32", "--random-output-len", "16", "--num-prompts", "24"),
            *("--lora-modules", "alpha", "beta", "--lora-assignment", "round-robin"),
            *("--max-concurrency", "8", "--save-result", "--result-filename", "result.json"),
        ],
        environment,
        tmp_path,
    )
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert (result["completed"], result["failed"]) == (24, 0)
    assert result["total_output_tokens"] == 24 * 16


def test_a_long_run_of_schemathesis(
    fake_server: Server, tmp_path: Path, environment: dict[str, str]
) -> None:
    described = described_for(tmp_path / "openapi.yaml")
    result = run_schemathesis(fake_server, described, environment, "--max-examples", "100")
    assert result.returncode == 0, result.stdout[-5000:]
