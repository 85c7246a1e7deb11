"""`python -m benchmarks`: one command, any benchmark, an exit code that says whether goals were met."""

import json
import sys
import types
from pathlib import Path

import pytest

from benchmarks import cli
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure

FAST = Figure("fast", 1.0, "s", "<= 2 s", ok=True)
SLOW = Figure("rate", 1.0, "MB/s", ">= 2 MB/s", ok=False)


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
    benchmark += [FAST, Figure("free", 3.0, "MB")]
    assert cli.main(["store", "--check"]) == 0
    benchmark.append(SLOW)
    assert cli.main(["store"]) == 0
    assert cli.main(["store", "--check"]) == 1


def test_what_missed_its_goal_is_named(
    benchmark: list[Figure], capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark += [SLOW, FAST]
    assert cli.main(["store", "--check"]) == 1
    assert capsys.readouterr().err == "missed: rate: 1, goal >= 2 MB/s\n"


def test_a_benchmark_says_itself_what_it_takes(
    benchmark: list[Figure], capsys: pytest.CaptureFixture[str]
) -> None:
    module = sys.modules["benchmarks.store"]
    module.__dict__["add_arguments"] = lambda parser: parser.add_argument("--size", type=int)
    module.__dict__["run"] = lambda size: [Figure("size", size, "MB")]
    assert cli.main(["store", "--size", "7"]) == 0
    assert "7 MB" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["store", "--help"])
    assert "--size" in capsys.readouterr().out


def test_what_cannot_be_measured_is_one_message_and_exit_code_2(
    benchmark: list[Figure], capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> list[Figure]:
        raise BenchmarkError("no engine")

    sys.modules["benchmarks.store"].__dict__["run"] = refuse
    assert cli.main(["store"]) == 2
    assert capsys.readouterr().err == "no engine\n"


def test_people_get_a_table_and_programs_a_document(
    benchmark: list[Figure], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark.append(Figure("verify a hostile adapter", 3.0, "s", note="one run"))
    cli.main(["store", "--json", str(tmp_path / "out.json")])
    assert "MISSED" in capsys.readouterr().out
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["benchmark"] == "store"
    assert document["machine"]["cores"] >= 1
    assert document["figures"] == [
        {
            "name": "verify a hostile adapter",
            "value": 3.0,
            "unit": "s",
            "goal": "<= 0.5 s",
            "ok": False,
            "note": "one run",
            "sweep": None,
        }
    ]
