"""A hold lasts as long as its process, and no longer; a failing disk holds nothing."""

import errno
import os
import stat
import uuid
from pathlib import Path

import pytest

from adapters import disk, holds
from adapters.errors import StoreWriteFailed, UnknownAdapter
from adapters.layout import Home
from adapters.store import Store
from tests.adapters.making import Adapter


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "tales")


def test_holders_are_named_by_version(home: Home) -> None:
    first = holds.take(home, 1, "service")
    second, third = holds.take(home, 12, "export"), holds.take(home, 12, "export")
    found = holds.live(home)
    assert sorted(found) == [1, 12]
    assert found[1][0].startswith(f"service (process {os.getpid()} on ")
    assert len(found[12]) == 2
    for hold in (first, second, third):
        hold.release()
    assert holds.live(home) == {}
    assert list(home.holds.iterdir()) == []


def test_a_second_release_does_nothing(home: Home) -> None:
    hold = holds.take(home, 1, "service")
    with hold:
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors - 1
    hold.release()
    assert not hold.path.exists()


def test_a_holder_whose_file_is_gone_can_still_let_go(home: Home) -> None:
    hold = holds.take(home, 1, "service")
    hold.path.unlink()
    hold.release()
    assert holds.live(home) == {}


def test_a_holder_whose_file_cannot_go_still_lets_go(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = holds.take(home, 1, "service")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        hold.release()
    assert holds.live(home) == {}


def test_every_holder_has_a_file_of_its_own_that_others_may_only_read(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    with holds.take(home, 1, "service") as hold:
        assert stat.S_IMODE(hold.path.stat().st_mode) == 0o644
    os.umask(before)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=7))
    with holds.take(home, 1, "service"), pytest.raises(FileExistsError):
        holds.take(home, 1, "service")


def test_a_holder_that_goes_while_others_look_holds_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "_files", lambda _: iter([home.holds / "1-gone"]))
    assert holds.live(home) == {}


def test_a_link_is_no_hold(home: Home, tmp_path: Path) -> None:
    disk.make_directory(home.holds)
    outside = tmp_path / "outside"
    outside.write_text("")
    (home.holds / "1-link").symlink_to(outside)
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        holds.live(home)
    assert outside.exists()


def test_a_file_that_is_no_hold_is_left_alone(home: Home) -> None:
    disk.make_directory(home.holds)
    (home.holds / "notes-1").write_text("x")
    assert holds.live(home) == {}
    assert (home.holds / "notes-1").exists()


def test_a_file_without_a_living_holder_goes(home: Home) -> None:
    disk.make_directory(home.holds)
    (home.holds / "3-dead").write_text("")
    assert holds.live(home) == {}
    assert not (home.holds / "3-dead").exists()


def test_a_holder_that_has_not_signed_yet_counts(home: Home) -> None:
    hold = holds.take(home, 1, "service")
    hold.path.write_text("")
    assert holds.live(home) == {1: ["a holder that is just starting"]}
    hold.release()


def test_nobody_holds_before_there_was_a_holder(home: Home) -> None:
    assert holds.live(home) == {}


def test_a_hold_on_a_full_disk_is_refused_and_holds_nothing(
    store: Store, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = adapter.write(tmp_path / "source")
    store.publish("tales", source, adapter.draft(), base_dir=adapter.base)

    def write(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        with pytest.raises(StoreWriteFailed, match="Holding tales@1 failed: ENOSPC"):
            store.hold("tales", 1, who="service")
    assert holds.live(store.home("tales")) == {}
    with pytest.raises(UnknownAdapter):
        store.hold("tales", 2, who="service")
