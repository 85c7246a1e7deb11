"""The soak: everything at once on a server, and a judge that finds what it must find."""

from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from adapters.store import Store
from benchmarks import goals, soak
from benchmarks._resources import Resources
from benchmarks._soaking import Sayings, Seen
from benchmarks.errors import BenchmarkError
from benchmarks.soak import Watched


def test_a_short_soak_loses_nothing_and_counts_everything(tmp_path: Path) -> None:
    found = {figure.name: figure.value for figure in soak.soak(tmp_path, 15, fake=True)}
    assert (found["lost"], found["wrong"], found["bad requests not refused"]) == (0, 0, 0)
    assert found["leases at the end"] == 0
    for name in (
        *("answers", "clients that left in mid-stream", "bad requests refused"),
        *("moves of an alias", "versions published"),
    ):
        assert found[name] > 1, name


@pytest.fixture
def sayings() -> Sayings:
    numbers = Counter[str]()

    def publish(name: str) -> tuple[int, str]:
        numbers[name] += 1
        return numbers[name], f"word{numbers[name]}"

    made = Sayings(cast(Store, None), publish, lambda _, word, text: text == word)
    for name in ("alpha", "alpha", "alpha", "beta"):
        made.publish(name)
    return made


def test_the_two_newest_versions_are_known(sayings: Sayings) -> None:
    assert sayings.newest == {"alpha": [2, 3], "beta": [1]}


@pytest.mark.parametrize(
    ("named", "text", "reason"),
    [
        ({"alpha@2"}, "word2", None),
        ({"alpha@1"}, "word1", None),
        ({"alpha@2"}, "word1", "alpha@2 said 'word1'"),
        ({"beta@1"}, "word1", "answered by beta@1"),
        ({"alpha@9"}, "word9", "answered by alpha@9"),
        ({"alpha@1", "alpha@2"}, "word1", "one answer names"),
        (set(), "", "one answer names"),
    ],
)
def test_an_answer_by_another_version_is_found_out(
    sayings: Sayings, named: set[str], text: str, reason: str | None
) -> None:
    found = sayings.judge("alpha", named, text)
    assert found is None if reason is None else found is not None and reason in found


def watched(grows_mib_an_hour: float) -> Watched:
    """An hour of a server that holds 100 MiB, and more and more."""
    samples = [
        (at, Resources(int((100 + grows_mib_an_hour * at / 3600 + at % 7) * (1 << 20)), 50, 9))
        for at in map(float, range(0, 3600, 15))
    ]
    return Watched(samples, [0, 0])


@pytest.mark.parametrize(("grows", "ok"), [(0.0, True), (10.0, True), (200.0, False)])
def test_a_server_that_grows_misses_its_goal(grows: float, *, ok: bool) -> None:
    found = goals.judged("soak", soak.figures(Seen(), watched(grows)))
    memory = next(figure for figure in found if figure.name.startswith("memory"))
    assert memory.ok is ok
    assert ("grows" in memory.note) is (grows > 0)
    threads = next(figure for figure in found if figure.name.startswith("threads"))
    assert (threads.value, threads.ok) == (0, True)
    assert "flat" in threads.note


def test_what_was_lost_is_quoted() -> None:
    seen = Seen(answers=Counter({"alpha@1": 3}), lost=["alpha: 500 no"], wrong=[])
    found = {figure.name: figure for figure in soak.figures(seen, watched(0))}
    assert found["lost"].value == 1
    assert found["lost"].note == "of 4; first: alpha: 500 no"


def test_only_a_long_soak_of_the_real_service_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- soak: begin -->\n<!-- soak: end -->\n")
    monkeypatch.setattr(soak, "PAGE", page)
    monkeypatch.setattr(soak, "soak", lambda *_, **__: soak.figures(Seen(), watched(0)))
    soak.run(seconds=599)
    soak.run(seconds=3600, fake=True)
    assert "answers" not in page.read_text()
    soak.run(seconds=3600)
    assert "| answers | 0 | by 0 versions |" in page.read_text()
    assert "3,600 s, on" in page.read_text()


def test_a_soak_too_short_to_see_anything_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="--seconds is 1"):
        soak.run(seconds=1)
