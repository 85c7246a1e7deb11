"""Two servers for the clients: the whole service with parrots, and one over the fake engine."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.store import Store
from tests.clients import parrots
from tests.clients.process import FAKE, REAL, Server, serving
from tests.service.tiny_store import make_store

API_KEY, ADMIN_KEY = "inference-key-0001", "administer-key-001"
KEYS = {"LORADOCK_API_KEY": API_KEY, "LORADOCK_ADMIN_KEY": ADMIN_KEY}
WORDS = {"alpha": ("abc", "def", "ghi"), "beta": ("jkl", "mno")}


@pytest.fixture(scope="session")
def parrot_store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, parrots.Base]:
    """Adapters that say `WORDS`, and `quote`, which says one mark and ends: good JSON too."""
    root = tmp_path_factory.mktemp("parrots")
    base = parrots.make_base(root / parrots.BASE)
    store = Store(root / "store")
    for name, words in WORDS.items():
        for word in words:
            parrots.publish(store, name, base, root, word)
    parrots.publish(store, "quote", base, root, '"', ends=True)
    for name in [*WORDS, "quote"]:
        store.set_alias(name, "stable", 1, expected=None, who="test", why="start")
    return store, base


@pytest.fixture(scope="session")
def real_server(
    parrot_store: tuple[Store, parrots.Base], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """`python -m service` as a user runs it, with vLLM, started once."""
    store, base = parrot_store
    flags = ["--base", str(base.directory), "--store", str(store.root)]
    with serving(REAL, flags, tmp_path_factory.mktemp("real") / "log", KEYS) as server:
        yield server


@pytest.fixture(scope="session")
def fake_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same command line over the fake engine, with the adapter alpha."""
    root = tmp_path_factory.mktemp("fake")
    store, base = make_store(root)
    flags = ["--base", str(base), "--store", str(store.root)]
    with serving(FAKE, flags, root / "log", KEYS) as server:
        yield server


@pytest.fixture
def environment() -> dict[str, str]:
    """For client processes: nothing of this process's settings, and no reports to anybody."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path.cwd()), "API_KEY": API_KEY, "ADMIN_KEY": ADMIN_KEY}
