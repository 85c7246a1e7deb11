"""`python -m benchmarks`: one command, any benchmark, an exit code that says whether goals were met."""

import json
import sys
import types
from pathlib import Path

import pytest

from benchmarks import cli
from benchmarks.figures import Figure, at_least, at_most


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """A benchmark called `store` that found what the test puts here."""
    found: list[Figure] = []
    module = types.ModuleType("benchmarks.store")
    module.__dict__["run"] = lambda: found
    monkeypatch.setitem(sys.modules, "benchmarks.store", module)
    return found


def test_every_benchmark_is_offered_and_nothing_else() -> None:
    assert "store" in cli.names()
    assert not {"cli", "figures", "__main__"} & set(cli.names())


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["nothing"])
    assert stopped.value.code == 2
    assert "invalid choice: 'nothing'" in capsys.readouterr().err


def test_a_missed_goal_counts_only_when_checked(benchmark: list[Figure]) -> None:
    benchmark += [at_most("fast", 1.0, "s", 2.0), Figure("free", 3.0, "MB")]
    assert cli.main(["store", "--check"]) == 0
    benchmark.append(at_least("rate", 1.0, "MB/s", 2.0))
    assert cli.main(["store"]) == 0
    assert cli.main(["store", "--check"]) == 1


def test_people_get_a_table_and_programs_a_document(
    benchmark: list[Figure], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark.append(at_most("verify", 3.0, "s", 2.0, "one run"))
    cli.main(["store", "--json", str(tmp_path / "out.json")])
    assert "MISSED" in capsys.readouterr().out
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["benchmark"] == "store"
    assert document["machine"]["cores"] >= 1
    assert document["figures"] == [
        {
            "name": "verify",
            "value": 3.0,
            "unit": "s",
            "goal": "<= 2 s",
            "ok": False,
            "note": "one run",
        }
    ]
