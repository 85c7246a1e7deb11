"""The stores that are measured are whole ones, however quickly they were filled."""

from pathlib import Path

from adapters import fsck
from adapters.store import Store
from benchmarks import store as benchmark
from tests.adapters.making import make_adapter, make_base


def test_a_store_that_was_filled_is_as_if_it_had_been_published(tmp_path: Path) -> None:
    adapter = make_adapter(make_base(tmp_path / "base"))
    store = Store(tmp_path / "store")
    source = adapter.write(tmp_path / "source")
    store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    benchmark.fill(store, "tales", 5)
    assert [version.number for version in store.all_versions("tales")] == [1, 2, 3, 4, 5]
    assert fsck.check(store, "tales", repair=False) == []
    assert store.publish("tales", source, adapter.draft(), base_dir=adapter.base).number == 6


def test_every_size_is_measured(tmp_path: Path) -> None:
    found = {figure.name: figure for figure in benchmark.growth(tmp_path, (1, 3))}
    assert list(found) == [
        "list 1 versions",
        "resolve one of 1",
        "list 3 versions",
        "resolve one of 3",
    ]
    assert all(figure.value > 0 and figure.ok is None for figure in found.values())
