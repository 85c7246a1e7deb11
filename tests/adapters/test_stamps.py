"""A stamp changes with every change of an adapter, and with nothing else."""

from pathlib import Path

import pytest

from adapters.layout import Home
from adapters.records import State, save
from adapters.stamps import stamps


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "alpha")
    made.path.mkdir()
    save(made, State(aliases={"stable": 1}))
    return made


def test_a_stamp_is_the_same_until_the_state_is_replaced(home: Home) -> None:
    root = home.path.parent
    first = stamps(root)
    assert stamps(root) == first
    (home.path / "lock").touch()
    assert stamps(root) == first
    save(home, State(aliases={"stable": 2}))
    assert stamps(root)["alpha"] != first["alpha"]


def test_what_is_no_adapter_has_none(home: Home) -> None:
    root = home.path.parent
    (root / "Not-A-Name").mkdir()
    (root / "serving.json").touch()
    assert set(stamps(root)) == {"alpha"}


def test_a_state_that_cannot_be_looked_at_is_told_apart(home: Home) -> None:
    home.state.unlink()
    assert stamps(home.path.parent) == {"alpha": None}
    home.state.symlink_to("nowhere")
    assert stamps(home.path.parent) == {"alpha": None}


def test_a_store_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        stamps(tmp_path / "none")
