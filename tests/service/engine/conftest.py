"""vLLM and torch warn while they are imported; what they do after that must be free of warnings."""

import warnings
from collections.abc import Iterator

import pytest
import torch


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
