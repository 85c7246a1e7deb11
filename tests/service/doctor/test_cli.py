"""The whole report: what it names, what it exits with, how long it takes, what it never loads."""

import json
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.doctor import software
from service.doctor.cli import main
from service.doctor.finding import Finding
from tests.service.tiny_store import make_store

# Computing time, since a busy machine takes as long as it likes.
MAX_CPU_S = 3.0


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of a service that could start; the packages of the environment are another test's."""
    monkeypatch.setattr(software, "packages", lambda locked: Finding("packages", "ok", "so"))
    store, base = make_store(tmp_path)
    return ["--base", str(base), "--store", str(store.root), "--port", "0"]


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {check["name"]: check for check in document["checks"]} | {"ok": document["ok"]}


def test_a_machine_that_is_well_exits_with_0(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--json", *flags]) == 0
    found = report(capsys)
    assert found["ok"] is True
    assert found["base"]["state"] == found["store"]["state"] == found["adapters"]["state"] == "ok"
    assert {"python", "device", "memory", "disk", "settings", "keys", "clock"} <= set(found)


def test_what_failed_is_told_with_its_remedy_and_exits_with_1(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main([*flags, "--port", port, "--admin-port", "0"]) == 1
    told = capsys.readouterr().out
    assert f"failed         port            127.0.0.1:{port} is held by" in told
    assert "→ End it" in told
    assert "1 failed" in told.splitlines()[-1]


def test_settings_that_are_not_known_are_all_named(
    flags: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORADOCK_PROT", "1")
    assert main(["--json", *flags, "--stroe", "x"]) == 1
    found = report(capsys)
    assert "$LORADOCK_PROT. Did you mean LORADOCK_PORT?" in found["settings"]["found"]
    assert "--stroe" in found["settings"]["found"]
    assert found["store"]["state"] == "not applicable"


def test_a_base_that_is_not_known_leaves_memory_and_disk_open(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--json", *flags, "--base", "no-such-base"]) == 1
    found = report(capsys)
    assert found["base"]["state"] == "failed"
    assert found["memory"]["state"] == found["disk"]["state"] == "not applicable"


def test_the_report_is_quick_and_loads_nothing_heavy(flags: list[str]) -> None:
    code = (
        "import sys; from service.doctor.cli import main; main(sys.argv[1:]); "
        "print(sorted({'torch', 'vllm', 'transformers', 'fastapi'} & set(sys.modules)))"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = subprocess.run(
        [sys.executable, "-c", code, *flags],
        cwd=software.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MAX_CPU_S
    assert told.stdout.splitlines()[-1] == "[]"
