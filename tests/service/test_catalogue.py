"""One unreadable adapter hides nothing else, and what was read stays known."""

import time
from pathlib import Path
from typing import cast

import pytest

from adapters.errors import StoreDamaged
from adapters.layout import Home
from adapters.records import State
from adapters.store import Store, Version
from service.berths import Key
from service.catalogue import Catalogue
from tests.service.memory_store import DIGEST, MemoryStore, make_version
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


@pytest.fixture
def large_store(tmp_path: Path) -> Store:
    """A thousand adapters, each with the files that a poll looks at."""
    state = State(manifests={1: DIGEST}, aliases={"stable": 1}).model_dump_json()
    for number in range(1000):
        home = Home(tmp_path / f"task{number:04}")
        home.version(1).mkdir(parents=True)
        home.state.write_text(state, encoding="utf-8")
    return Store(tmp_path)


async def test_an_unchanged_store_of_a_thousand_adapters_costs_a_look_at_each(
    large_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_version("any", 1, large_store.root)
    monkeypatch.setattr(Store, "version", lambda store, name, number: made)
    catalogue = Catalogue(large_store)
    first = await catalogue.refresh()
    assert len(first.entries) == 1000
    # Reading any adapter again would fail.
    monkeypatch.setattr(Store, "aliases", damaged)
    took_s = []
    for _ in range(20):
        began_s = time.thread_time()
        reading = catalogue._read()
        took_s.append(time.thread_time() - began_s)
        assert reading.entries is first.entries
    assert min(took_s) < 0.005, "of this thread's computing time"
