"""Records that grow: what was acknowledged is read, a torn end was never there."""

from pathlib import Path

import pytest

from adapters import records
from adapters.errors import StoreDamaged
from adapters.layout import Home
from adapters.manifest import Evaluation

END = (
    "Expected what this store wrote there. Run `python -m adapters fsck`, which names everything "
    "that is wrong and mends what is safe."
)
FIRST, SECOND = (
    Evaluation.model_validate({"recorded": f"2026-01-0{day}T00:00:00Z", "results": {"n": day}})
    for day in (1, 2)
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "records.jsonl"
    records.append(path, FIRST)
    records.append(path, SECOND)
    return path


def read(path: Path, end: int | None = None) -> list[Evaluation]:
    return records.lines(path, Evaluation, end)


def damage(path: Path, end: int | None = None) -> str:
    with pytest.raises(StoreDamaged) as damaged:
        read(path, end)
    return str(damaged.value)


def test_what_was_appended_is_read_oldest_first(path: Path) -> None:
    assert read(path) == [FIRST, SECOND]
    assert read(path.with_name("absent")) == []


def test_only_what_was_acknowledged_counts(path: Path) -> None:
    length = len(path.read_bytes())
    half = len(FIRST.model_dump_json()) + 1
    assert read(path, half) == [FIRST]
    assert read(path, 0) == []
    assert read(path, length) == [FIRST, SECOND]
    assert damage(path, length + 1) == (
        f"{path} cannot be read: it has {length} bytes, {length + 1} were acknowledged. {END}"
    )
    absent = path.with_name("absent")
    assert f"{absent} cannot be read: it has 0 bytes, 1 were acknowledged." in damage(absent, 1)


def test_a_torn_end_is_not_read_and_the_next_record_takes_its_place(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"recorded"')
    assert read(path) == [FIRST, SECOND]
    assert records.append(path, FIRST) == len(path.read_bytes())
    assert read(path) == [FIRST, SECOND, FIRST]
    assert records.append(path, SECOND, 0) == len(path.read_bytes())
    assert read(path) == [SECOND]
    assert records.complete(b"a\nb") == b"a\n"
    assert records.complete(b"a\n") == b"a\n"
    assert records.complete(b"ab") == b""


def test_a_line_that_is_no_such_record_is_named(path: Path) -> None:
    path.write_bytes(b"{}\n")
    assert damage(path) == (f"{path} cannot be read: 2 validation errors for Evaluation. {END}")
    path.write_bytes(b"nothing\n")
    assert f"{path} cannot be read: Expecting value: line 1 column 1 (char 0). " in damage(path)
    path.unlink()
    path.mkdir()
    assert damage(path) == f"{path} cannot be read: Invalid argument. {END}"


def test_a_state_is_read_as_it_was_saved(tmp_path: Path) -> None:
    home = Home(tmp_path / "tales")
    home.path.mkdir()
    assert records.load(home) == records.State()
    assert records.State().model_dump() == {
        "schema_version": 1, "next_version": 1, "manifests": {}, "aliases": {}, "history_bytes": 0,
    }  # fmt: skip
    state = records.State(next_version=3, manifests={2: "a" * 64}, aliases={"x": 2})
    records.save(home, state)
    assert records.load(home) == state
    assert home.state.read_bytes().endswith(b"}\n")


def test_a_state_that_is_gone_or_unreadable_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path / "tales")
    home.version(1).mkdir(parents=True)
    for reason in ("it is gone, but there are versions", "Invalid argument"):
        with pytest.raises(StoreDamaged) as damaged:
            records.load(home)
        assert str(damaged.value) == f"{home.state} cannot be read: {reason}. {END}"
        home.state.mkdir(exist_ok=True)
