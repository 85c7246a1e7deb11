"""Before it is docked, a version is checked again and held."""

from pathlib import Path

import pytest

from adapters.errors import StoreWriteFailed
from adapters.holds import live
from adapters.store import Store
from service.checking import Checker
from service.engine.fake import FakeEngine
from service.errors import DockRefused
from tests.service.running import running, until
from tests.service.tiny_store import make_base, make_store, publish


@pytest.fixture
def made(tmp_path: Path) -> tuple[Store, Path]:
    return make_store(tmp_path)


async def test_a_fit_version_is_held_until_it_is_let_go(made: tuple[Store, Path]) -> None:
    store, base = made
    let_go = await Checker(store, base, 16).admit(store.resolve("alpha@1"))
    assert set(live(store.home("alpha"))) == {1}
    let_go()
    assert live(store.home("alpha")) == {}


async def test_a_byte_that_changed_after_publication_is_found(made: tuple[Store, Path]) -> None:
    store, base = made
    version = store.resolve("alpha@1")
    weights = version.path / "adapter_model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.chmod(0o644)
    weights.write_bytes(raw)
    with pytest.raises(DockRefused, match="file_changed"):
        await Checker(store, base, 16).admit(version)
    assert live(store.home("alpha")) == {}


async def test_a_store_that_cannot_be_written_can_still_be_served_from(
    made: tuple[Store, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, base = made

    def refuse(*_: object, **__: object) -> None:
        raise StoreWriteFailed("the disk is read-only")

    monkeypatch.setattr(store, "hold", refuse)
    let_go = await Checker(store, base, 16).admit(store.resolve("alpha@1"))
    let_go()


async def test_a_rank_above_the_engines_is_refused(made: tuple[Store, Path]) -> None:
    store, base = made
    with pytest.raises(DockRefused, match="rank_too_high"):
        await Checker(store, base, 1).admit(store.resolve("alpha@1"))


async def test_an_adapter_of_another_base_is_refused(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    store, _ = made
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = make_base(elsewhere)
    config = (other / "config.json").read_text(encoding="utf-8")
    (other / "config.json").write_text(config.replace('"llama"', '"llama", "rope_theta": 5.0'))
    with pytest.raises(DockRefused, match="base_config_differs"):
        await Checker(store, other, 16).admit(store.resolve("alpha@1"))


async def test_the_app_over_a_real_store_serves_promotes_and_follows_it(
    made: tuple[Store, Path], tmp_path: Path
) -> None:
    store, base = made
    engine = FakeEngine(base.name)
    async with running(engine, store, admit=Checker(store, base, 16).admit) as app:
        assert (await app.complete("alpha")).json()["model"] == "alpha@1"
        assert (await app.promote("alpha", 2)).status_code == 200
        assert (await app.complete("alpha")).json()["model"] == "alpha@2"
        assert store.aliases("alpha") == {"stable": 2}
        await until(lambda: set(live(store.home("alpha"))) == {2})
        response = await app.client.post("/admin/adapters/alpha/rollback", json={})
        assert response.json()["version"] == 1
        publish(store, "alpha", base, tmp_path, seed=3)
        store.set_alias("alpha", "stable", 3, expected=1, who="another", why="test")
        await until(lambda: app.parts.reconciler.serving["alpha"] == {"stable": 3})
        assert (await app.complete("alpha")).json()["model"] == "alpha@3"
        models = (await app.client.get("/v1/models")).text
        assert str(tmp_path) not in models
    assert live(store.home("alpha")) == {}
