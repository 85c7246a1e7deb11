"""Every way is gone, and each figure says where on it it was measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from benchmarks import growth, rows
from benchmarks._children import Answer, Child
from benchmarks.growth import Ways


class Played:
    """A child that needs a tenth of a second for each request's prompt and as much for its answer."""

    def __init__(self) -> None:
        self.seeds: list[object] = []

    def ask(self, question: Mapping[str, object], timeout_s: float) -> Answer:
        self.seeds.append(question["seed"])
        seconds = len(cast(Sequence[int], question["who"])) / 10
        return {"first_s": seconds, "rest_s": seconds}


def test_each_sweep_has_its_points_and_its_speeds() -> None:
    child = Played()
    found = [*growth.sweep(cast(Child, child), Ways((1, 8), (1, 4), (32, 900), 5))]
    points = [
        (figure.sweep.along, figure.sweep.series, figure.sweep.at)
        for figure in found
        if figure.sweep
    ]
    assert points == [
        ("requests at once", "base", 1),
        ("requests at once", "one adapter", 1),
        ("requests at once", "base", 8),
        ("requests at once", "one adapter", 8),
        ("adapters among them", "4 requests", 1),
        ("adapters among them", "4 requests", 4),
        ("tokens of a prompt", "base", 32),
        ("tokens of a prompt", "one adapter", 32),
        ("tokens of a prompt", "base", 900),
        ("tokens of a prompt", "one adapter", 900),
    ]
    assert [round(figure.value) for figure in found] == [
        40,
        40,
        40,
        40,
        25,
        25,
        320,
        320,
        9000,
        9000,
    ]
    assert len(set(child.seeds)) == len(child.seeds)


def test_rows_are_checked_by_the_command_itself(tmp_path: Path) -> None:
    (figure,) = rows.sweep(tmp_path, (100,))
    assert figure.name == "check 100 rows"
    assert figure.value > 0
    assert figure.sweep is not None
    assert figure.sweep.at == 100
