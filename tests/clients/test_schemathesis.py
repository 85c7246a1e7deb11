"""schemathesis, all checks: what `openapi.yaml` promises is what the server does."""

import subprocess
import sys
from pathlib import Path

import yaml

from tests.clients.process import ROOT, Server
from tests.service.tiny_store import BASE

# A bounded run; `scripts/clients` does a long one.
EXAMPLES = 5
MODELS = [BASE, "alpha", "alpha@stable", "alpha@2"]
# Whether a base takes tools, and whether a program is one, is beyond what a schema can say.
BEYOND = {
    "ChatRequest": ("tools", "tool_choice"),
    "ResponsesRequest": ("tools", "tool_choice"),
    "EvolutionRequest": ("program",),
}


def described_for(target: Path) -> Path:
    """Copy the description, naming models that are there: guessed ones are all 404."""
    described = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    schemas = described["components"]["schemas"]
    for name in ("ChatRequest", "CompletionRequest", "ResponsesRequest"):
        schemas[name]["properties"]["model"]["enum"] = MODELS
    for name, fields in BEYOND.items():
        for field in fields:
            del schemas[name]["properties"][field]
    target.write_text(yaml.safe_dump(described), encoding="utf-8")
    return target


def run(
    server: Server, described: Path, environment: dict[str, str], *more: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--no-color"),
            *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
            *("run", str(described), "--url", server.url, "--checks", "all"),
            *("--generation-deterministic", *more),
        ],
        cwd=described.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_request_that_can_be_derived_from_the_description_surprises(
    fake_server: Server, tmp_path: Path, environment: dict[str, str]
) -> None:
    described = described_for(tmp_path / "openapi.yaml")
    result = run(fake_server, described, environment, "--max-examples", str(EXAMPLES))
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
    # It warns that guessed versions are not there; a failure is what may not be.
    assert "Failures:" not in result.stdout
    operations = [
        operation
        for path in yaml.safe_load(described.read_text(encoding="utf-8"))["paths"].values()
        for operation in path
    ]
    assert f"Tested: {len(operations)}\n" in result.stdout
