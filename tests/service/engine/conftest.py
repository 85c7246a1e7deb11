"""Both engines for the tests, the real one on a tiny model and started once.

vLLM and torch warn while they are imported; what they do after that must be free of warnings.
"""

import itertools
import os
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from adapters.manifest import PromptForm
from service.engine.fake import FakeEngine
from service.engine.hardware import base_facts, detect
from service.engine.profile import EngineSettings, Wishes, choose
from service.engine.protocol import DockedAdapter, Engine

if TYPE_CHECKING:
    from service.engine.vllm_engine import VllmEngine

MAX_DOCKED = 3
BASE_MODEL = "tiny"


def pytest_configure(config: pytest.Config) -> None:
    # vLLM leaves its zmq context to the garbage collector (vllm/v1/engine/core_client.py).
    config.addinivalue_line("filterwarnings", "ignore:Unclosed context <zmq:ResourceWarning")
    # vLLM reads the field of the OpenAI API that OpenAI calls deprecated.
    config.addinivalue_line("filterwarnings", "ignore:max_tokens is deprecated:DeprecationWarning")


@pytest.fixture(scope="session")
def vllm_imported() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import service.engine.cpu_lora
        import service.engine.vllm_engine  # noqa: F401


@pytest.fixture
def numerics() -> Iterator[None]:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tests.service.engine import tiny

        return tiny.make_base(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture(scope="session")
def tiny_adapters(tiny_base: Path) -> dict[str, Path]:
    """Directories of two adapters of different rank."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tests.service.engine import tiny

        return {
            name: tiny.make_adapter(tiny_base.parent / name, tiny_base, rank=rank, seed=rank)
            for name, rank in (("alpha", 8), ("beta", 3))
        }


@pytest.fixture(scope="session")
def settings(tiny_base: Path, vllm_imported: None) -> EngineSettings:
    wishes = Wishes(max_docked=MAX_DOCKED, max_rank=16, kv_cache_bytes=32 << 20)
    return choose(detect(), base_facts(tiny_base), wishes).settings


@pytest.fixture(scope="session")
def environment() -> Iterator[None]:
    """Puts the environment back, which launching an engine changes for the whole process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
async def vllm_process(
    tiny_base: Path, settings: EngineSettings, environment: None
) -> "AsyncIterator[VllmEngine]":
    from service.engine.vllm_engine import VllmEngine

    engine = VllmEngine(tiny_base, BASE_MODEL, settings)
    yield engine
    await engine.stop()


@pytest.fixture
async def vllm_engine(vllm_process: "VllmEngine") -> "VllmEngine":
    """The one real engine; started again if the last test has ended it."""
    if not vllm_process.alive():
        await vllm_process.start()
    assert await vllm_process.docked() == set()
    return vllm_process


@pytest.fixture(params=["fake", pytest.param("vllm", marks=pytest.mark.engine)])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the engines a test of both is for."""
    return str(request.param)


@pytest.fixture
async def fake_engine() -> FakeEngine:
    started = FakeEngine(BASE_MODEL, max_docked=MAX_DOCKED)
    await started.start()
    return started


@pytest.fixture
def engine(kind: str, request: pytest.FixtureRequest) -> Engine:
    """That engine, started, with nothing docked."""
    started: Engine = request.getfixturevalue(f"{kind}_engine")
    return started


Version = Callable[..., DockedAdapter]
int_ids = itertools.count(1)


@pytest.fixture
def version(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Version:
    """Makes a version of alpha or beta that was never docked before."""
    if kind == "vllm":
        paths: dict[str, Path] = request.getfixturevalue("tiny_adapters")
    else:
        paths = dict.fromkeys(("alpha", "beta"), tmp_path)

    def make(name: str = "alpha", prompt: PromptForm | None = None) -> DockedAdapter:
        int_id = next(int_ids)
        return DockedAdapter(f"{name}@{int_id}", int_id, paths[name], prompt or PromptForm())

    return make
