"""One unreadable adapter hides nothing else, and what was read stays known."""

from pathlib import Path
from typing import cast

import pytest

from adapters.errors import StoreDamaged
from adapters.store import Store, Version
from service.berths import Key
from service.catalogue import Catalogue
from tests.service.memory_store import MemoryStore
from tests.service.tiny_store import make_store


def damaged(*_: object) -> Version:
    raise StoreDamaged("it cannot be read")


@pytest.fixture
def catalogue(memory_store: MemoryStore) -> Catalogue:
    return Catalogue(cast(Store, memory_store))


async def test_a_name_that_cannot_be_read_keeps_its_last_entry(
    catalogue: Catalogue, memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await catalogue.refresh()
    memory_store.move("alpha", 2)
    monkeypatch.setattr(memory_store, "aliases", damaged)
    reading = await catalogue.refresh()
    assert reading.unreadable == {"alpha": "it cannot be read"}
    assert reading.entries["alpha"].aliases == {"stable": 1}
    assert set(reading.entries) == {"alpha", "beta"}


async def test_a_version_that_cannot_be_read_is_named_and_tried_again(
    catalogue: Catalogue, memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await catalogue.refresh()
    memory_store.add("alpha", 4)
    with monkeypatch.context() as patch:
        patch.setattr(memory_store, "version", damaged)
        reading = await catalogue.refresh()
    assert set(reading.entries["alpha"].versions) == {1, 2, 3}
    assert reading.entries["alpha"].unreadable == {"alpha@4": "it cannot be read"}
    await catalogue.refresh()
    assert catalogue.version(Key("alpha", 4)) is not None


async def test_what_did_not_change_is_not_read_again(
    catalogue: Catalogue, memory_store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await catalogue.refresh()
    monkeypatch.setattr(memory_store, "aliases", damaged)
    second = await catalogue.refresh()
    assert second.entries["alpha"] is first.entries["alpha"]


async def test_every_change_of_a_real_store_is_seen(tmp_path: Path) -> None:
    store, _ = make_store(tmp_path)
    catalogue = Catalogue(store)
    for target, expected in ((2, 1), (1, 2), (2, 1)):
        before = (await catalogue.refresh()).entries["alpha"].aliases
        assert before == {"stable": expected}
        store.set_alias("alpha", "stable", target, expected=expected, who="test", why="test")
        after = (await catalogue.refresh()).entries["alpha"].aliases
        assert after == {"stable": target}
