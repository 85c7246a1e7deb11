"""fsck names every inconsistency, mends what is safe and quarantines the rest."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters import fsck
from adapters.errors import StoreDamaged, UnknownAdapter
from adapters.store import Store
from tests.adapters.making import Adapter

NOTE = {"who": "tester", "why": "a test"}


@pytest.fixture
def filled(store: Store, adapter: Adapter, tmp_path: Path) -> Store:
    source = adapter.write(tmp_path / "source")
    for _ in range(3):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    store.set_alias("tales", "stable", 1, expected=None, **NOTE)
    store.set_alias("tales", "stable", 2, expected=1, **NOTE)
    store.record_evaluation("tales", 2, {"correct": 1})
    store.record_evaluation("tales", 2, {"correct": 2})
    return store


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def emptied(version: Path) -> None:
    for path in version.iterdir():
        path.unlink()


def codes(store: Store, *, repair: bool) -> list[str]:
    return [problem.code for problem in fsck.check(store, "tales", repair=repair)]


def edit_state(store: Store, **changes: object) -> None:
    """What somebody with an editor does to the state."""
    path = store.home("tales").state
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
Spoil = Callable[[Path], object]
DAMAGE: dict[str, tuple[Spoil, str, str]] = {
    "a file that is missing": (lambda v: (v / CONFIG).unlink(), "version_damaged", "file_missing"),
    "a file that was added": (lambda v: (v / "x.png").write_bytes(b"x"), "version_damaged", "file_not_published"),
    "a stranger": (lambda v: (v / "x.bin").write_bytes(b"x"), "version_damaged", "pickle_file"),
    "a flipped bit": (lambda v: flip(v / WEIGHTS), "version_damaged", "file_changed"),
    "a truncated file": (lambda v: cut(v / WEIGHTS), "version_damaged", "file_changed"),
    "a changed manifest": (lambda v: flip(v / "manifest.json"), "version_damaged", "manifest"),
    "a missing manifest": (lambda v: (v / "manifest.json").unlink(), "version_damaged", "manifest_invalid"),
    "an emptied version": (emptied, "version_damaged", "empty"),
    "a lost version": (shutil.rmtree, "version_missing", "cut short, or somebody deleted it"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_to_a_version_is_named_and_taken_out(name: str, filled: Store) -> None:
    spoil, code, reason = DAMAGE[name]
    spoil(filled.home("tales").version(3))
    for repair in (False, True):
        (problem,) = fsck.check(filled, "tales", repair=repair)
        assert (problem.code, problem.where) == (code, "tales@3")
        assert reason in problem.message
        assert (problem.mended is not None) == repair
    assert fsck.check(filled, "tales", repair=True) == []
    assert filled.versions("tales") == [1, 2]
    with pytest.raises(UnknownAdapter):
        filled.resolve("tales@3")


def test_a_version_that_is_held_is_left_where_it_is(filled: Store) -> None:
    flip(filled.version("tales", 3).path / WEIGHTS)
    with filled.hold("tales", 3, who="service"):
        (problem,) = fsck.check(filled, "tales", repair=True)
    assert problem.mended is None
    assert "held by service" in problem.message
    assert filled.home("tales").version(3).is_dir()


def test_an_alias_to_nowhere_is_for_people_to_move(filled: Store) -> None:
    shutil.rmtree(filled.home("tales").version(2))
    assert codes(filled, repair=True) == ["version_missing", "alias_to_nowhere"]
    (problem,) = fsck.check(filled, "tales", repair=True)
    assert (problem.code, problem.mended) == ("alias_to_nowhere", None)
    assert "there are 1, 3. Promote one of these." in problem.message
    filled.set_alias("tales", "stable", 3, expected=2, **NOTE)
    assert fsck.check(filled, "tales", repair=False) == []


def test_a_directory_that_nobody_published_is_set_aside(filled: Store) -> None:
    home = filled.home("tales")
    shutil.copytree(home.version(1), home.version(9))
    (problem,) = fsck.check(filled, "tales", repair=True)
    assert (problem.code, problem.where) == ("version_unregistered", "tales@9")
    assert [path.name.split("-")[0] for path in home.quarantine.iterdir()] == ["9"]


@pytest.mark.parametrize("spoil", [cut, Path.unlink, lambda path: path.write_text("{}x")])
def test_a_lost_state_is_rebuilt_from_versions_and_history(spoil: Spoil, filled: Store) -> None:
    home = filled.home("tales")
    before = {n: filled.version("tales", n).manifest for n in (1, 2, 3)}
    spoil(home.state)
    with pytest.raises(StoreDamaged):
        filled.versions("tales")
    (problem,) = fsck.check(filled, "tales", repair=True)
    assert problem.code == "state_unreadable"
    assert {n: filled.version("tales", n).manifest for n in (1, 2, 3)} == before
    assert filled.aliases("tales") == {"stable": 2}
    assert [change.new for change in filled.history("tales")] == [1, 2]


def test_a_rebuilt_state_does_not_give_old_numbers_again(
    filled: Store, adapter: Adapter, tmp_path: Path
) -> None:
    home = filled.home("tales")
    flip(home.version(3) / WEIGHTS)
    fsck.check(filled, "tales", repair=True)
    home.state.unlink()
    fsck.check(filled, "tales", repair=True)
    source = tmp_path / "source"
    assert filled.publish("tales", source, adapter.draft(), base_dir=adapter.base).number == 4


@pytest.mark.parametrize("spoil", [cut, Path.unlink])
def test_a_broken_history_keeps_its_readable_lines_and_says_where_the_alias_is(
    spoil: Spoil, filled: Store
) -> None:
    home = filled.home("tales")
    kept = [] if spoil is Path.unlink else [(None, 1)]
    spoil(home.history)
    with pytest.raises(StoreDamaged):
        filled.history("tales")
    assert codes(filled, repair=False) == ["history_unreadable"]
    assert codes(filled, repair=True) == ["history_unreadable", "alias_disagrees"]
    added = (kept[-1][1] if kept else None, 2)
    assert [(c.old, c.new) for c in filled.history("tales")] == [*kept, added]
    assert filled.history("tales")[-1].who == "fsck"
    assert codes(filled, repair=True) == []
    filled.set_alias("tales", "stable", 3, expected=2, **NOTE)
    assert len(filled.history("tales")) == len(kept) + 2


def test_an_alias_that_is_elsewhere_than_its_history_says_gets_a_line(filled: Store) -> None:
    edit_state(filled, aliases={"stable": 3})
    (problem,) = fsck.check(filled, "tales", repair=False)
    assert (problem.code, problem.where, problem.mended) == (
        "alias_disagrees",
        "tales@stable",
        None,
    )
    assert "It points at version 3, its history says version 2." in problem.message
    assert codes(filled, repair=True) == ["alias_disagrees"]
    assert filled.aliases("tales") == {"stable": 3}
    assert filled.rollback("tales", "stable", **NOTE) == 2
    assert codes(filled, repair=False) == []


def test_an_alias_that_is_lost_is_for_people_to_put_back(filled: Store) -> None:
    edit_state(filled, aliases={})
    (problem,) = fsck.check(filled, "tales", repair=True)
    assert (problem.code, problem.mended) == ("alias_disagrees", None)
    assert "It points at nothing, its history says version 2." in problem.message
    filled.set_alias("tales", "stable", 2, expected=None, **NOTE)
    assert codes(filled, repair=False) == []


def test_a_number_that_would_be_given_again_is_named(
    filled: Store, adapter: Adapter, tmp_path: Path
) -> None:
    edit_state(filled, next_version=3)
    (problem,) = fsck.check(filled, "tales", repair=True)
    assert (problem.code, problem.where) == ("number_given", "tales/state.json")
    assert "The next version would be 3, but 3 was given before." in problem.message
    assert codes(filled, repair=False) == []
    source = tmp_path / "source"
    assert filled.publish("tales", source, adapter.draft(), base_dir=adapter.base).number == 4


def moved_and_linked(version: Path) -> None:
    elsewhere = version.parents[2] / "elsewhere"
    version.rename(elsewhere)
    version.symlink_to(elsewhere)


def file_for_versions(home: Path) -> None:
    shutil.rmtree(home / "versions")
    (home / "versions").write_text("x")


STRAYS: dict[str, tuple[Spoil, list[str], str]] = {
    "a file of nobody": (lambda h: (h / "notes.txt").write_text("x"), [], "notes.txt"),
    "a state cut short": (lambda h: (h / ".state.json.0f").write_text("{"), [], ".state.json.0f"),
    "a directory of nobody": (lambda h: (h / "versions/new").mkdir(), [], "versions/new"),
    "a file for a version": (lambda h: (h / "versions/7").write_text("x"), [], "versions/7"),
    "a second way to write a number": (
        lambda h: shutil.copytree(h / "versions/3", h / "versions/03"), [], "versions/03",
    ),
    "a version under another number": (
        lambda h: (h / "versions/3").rename(h / "versions/03"), ["version_missing"], "versions/03",
    ),
    "a link for a version": (
        lambda h: moved_and_linked(h / "versions/3"), ["version_missing"], "versions/3",
    ),
    "an evaluation of nothing": (
        lambda h: (h / "evaluations/x.jsonl").write_text(""), [], "evaluations/x.jsonl",
    ),
    "a hold of nothing": (lambda h: hold_of_nothing(h / "holds"), [], "holds/x"),
    "a file for the versions": (
        file_for_versions,
        ["version_missing"] * 3, "versions",
    ),
}  # fmt: skip


def hold_of_nothing(holds: Path) -> None:
    holds.mkdir()
    (holds / "x").write_text("x")


@pytest.mark.parametrize("name", STRAYS)
def test_what_nobody_put_there_is_named_and_set_aside(name: str, filled: Store) -> None:
    spoil, others, place = STRAYS[name]
    home = filled.home("tales")
    spoil(home.path)
    for repair in (False, True):
        found = fsck.check(filled, "tales", repair=repair)
        stray = next(problem for problem in found if problem.code == "stray")
        assert stray.where == f"tales/{place}"
        assert stray.mended == ("moved to quarantine" if repair else None)
        # What points at a version that is gone is for people to move.
        left = [p.code for p in found if p.code not in ("stray", "alias_to_nowhere")]
        assert left == others
    assert set(codes(filled, repair=True)) <= {"alias_to_nowhere"}
    (aside,) = home.quarantine.iterdir()
    assert aside.name.startswith(f"{Path(place).name}-")


def test_nothing_that_the_store_itself_writes_is_a_stray(filled: Store) -> None:
    with filled.hold("tales", 1, who="service"):
        flip(filled.home("tales").version(3) / WEIGHTS)
        assert codes(filled, repair=True) == ["version_damaged"]
        assert codes(filled, repair=False) == []


def test_a_broken_evaluation_keeps_its_readable_lines(filled: Store) -> None:
    path = filled.home("tales").evaluations(2)
    first, second = path.read_text().splitlines()
    path.write_text(f"{first[:-5]}\n{second}\n")
    with pytest.raises(StoreDamaged):
        filled.evaluations("tales", 2)
    (problem,) = fsck.check(filled, "tales", repair=True)
    assert problem.code == "evaluation_unreadable"
    assert [record.results for record in filled.evaluations("tales", 2)] == [{"correct": 2}]
    assert "Mended: kept 1 readable line(s)" in str(problem)


def test_a_whole_store_has_no_problems(filled: Store) -> None:
    assert fsck.check(filled, "tales", repair=True) == []
    assert fsck.check(filled, "nobody", repair=True) == []
    assert not filled.home("tales").quarantine.exists()
