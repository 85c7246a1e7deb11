"""fsck names every inconsistency, mends what is safe and quarantines the rest."""

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
    codes = [problem.code for problem in fsck.check(filled, "tales", repair=True)]
    assert codes == ["version_missing", "alias_to_nowhere"]
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
def test_a_broken_history_keeps_its_readable_lines(spoil: Spoil, filled: Store) -> None:
    home = filled.home("tales")
    readable = 0 if spoil is Path.unlink else 1
    spoil(home.history)
    with pytest.raises(StoreDamaged):
        filled.history("tales")
    (problem,) = fsck.check(filled, "tales", repair=True)
    assert problem.code == "history_unreadable"
    assert [change.new for change in filled.history("tales")] == [1, 2][:readable]
    filled.set_alias("tales", "stable", 3, expected=2, **NOTE)
    assert len(filled.history("tales")) == readable + 1


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
