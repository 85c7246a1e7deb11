"""An alias moves from where the caller saw it, and its past is told word for word."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters import aliases, records
from adapters.errors import AliasConflict, NoPreviousTarget
from adapters.layout import Home
from adapters.manifest import AliasChange


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "tales").mkdir()
    return Home(tmp_path / "tales")


def move(home: Home, target: int, expected: int | None, alias: str = "stable") -> None:
    aliases.move(home, alias, target, expected=expected, who="me", why="a test")


def test_a_move_is_written_down_with_who_when_and_why(home: Home) -> None:
    move(home, 1, None)
    move(home, 2, 1)
    move(home, 7, None, "candidate")
    assert records.load(home).aliases == {"stable": 2, "candidate": 7}
    first, second, third = aliases.history(home)
    assert (first.alias, first.old, first.new, first.who, first.why) == (
        "stable", None, 1, "me", "a test",
    )  # fmt: skip
    assert (second.old, second.new, third.alias) == (1, 2, "candidate")
    assert timedelta(0) <= datetime.now(UTC) - first.when < timedelta(minutes=5)
    assert records.load(home).history_bytes == home.history.stat().st_size


def test_a_line_counts_only_once_the_state_names_it(home: Home) -> None:
    """A writer that died after its line and before the state has changed nothing."""
    move(home, 1, None)
    whole = home.history.read_bytes()
    home.history.write_bytes(whole + whole.replace(b'"new":1', b'"new":8'))
    assert [change.new for change in aliases.history(home)] == [1]
    move(home, 2, 1)
    assert [change.new for change in aliases.history(home)] == [1, 2]
    assert home.history.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (None, "it points at version 1, expected nothing."),
        (2, "it points at version 1, expected version 2."),
    ],
)
def test_a_move_from_elsewhere_is_a_conflict_and_changes_nothing(
    expected: int | None, said: str, home: Home
) -> None:
    move(home, 1, None)
    before = home.history.read_bytes()
    with pytest.raises(AliasConflict) as conflict:
        move(home, 3, expected)
    assert str(conflict.value) == (
        f"tales@stable was not moved to 3: {said} Somebody moved it; look at `history`, then try "
        "again if that is still what you want."
    )
    assert records.load(home).aliases == {"stable": 1}
    assert home.history.read_bytes() == before


def test_an_alias_that_is_not_there_points_at_nothing(home: Home) -> None:
    with pytest.raises(AliasConflict, match="it points at nothing, expected version 1"):
        move(home, 3, 1)


def test_the_previous_target_is_that_before_the_last_change_of_this_alias(home: Home) -> None:
    for old, new in ((None, 1), (1, 2), (2, 3)):
        move(home, new, old)
    move(home, 9, None, "candidate")
    assert aliases.previous(home, "stable") == 2
    with pytest.raises(NoPreviousTarget) as refused:
        aliases.previous(home, "candidate")
    assert str(refused.value) == (
        "tales@candidate cannot be rolled back: it points at version 9 and has no earlier target. "
        "Expected one in its history. Promote the version you want instead."
    )
    with pytest.raises(NoPreviousTarget, match="it points at nothing and has"):
        aliases.previous(home, "nobody")


def test_the_last_targets_are_distinct_newest_first_and_few() -> None:
    def change(alias: str, new: int) -> AliasChange:
        return AliasChange(
            alias=alias, old=None, new=new, when=datetime.now(UTC), who="me", why="a test"
        )

    past = [change("a", 1), change("b", 5), change("a", 2), change("a", 1), change("a", 3)]
    assert aliases.recent(past, 2) == {"a": [3, 1], "b": [5]}
    assert aliases.recent(past, 9) == {"a": [3, 1, 2], "b": [5]}
    assert aliases.recent([], 2) == {}
