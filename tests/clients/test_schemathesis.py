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


def with_models(target: Path) -> Path:
    """Copy the description, naming models that are there: guessed ones are all 404."""
    described = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    schemas = described["components"]["schemas"]
    for name in ("ChatRequest", "CompletionRequest"):
        schemas[name]["properties"]["model"]["enum"] = MODELS
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
    described = with_models(tmp_path / "openapi.yaml")
    result = run(fake_server, described, environment, "--max-examples", str(EXAMPLES))
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
    assert "No issues found" in result.stdout
    assert "Tested: 10" in result.stdout
