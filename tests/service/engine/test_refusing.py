"""Wishes that cannot come true are refused by their names, before vLLM tries them for a minute."""

import pytest

from basemodels.devices import GIB
from service.engine.errors import EngineStartFailed
from service.engine.hardware import Hardware
from service.engine.profile import Wishes, choose
from tests.service.engine.test_profile import LAPTOP, RTX_4090, SMOLLM2

CUDA = Hardware((0,), None, True, 64 * GIB, 60 * GIB, RTX_4090)


@pytest.mark.parametrize(
    ("hardware", "wishes", "told"),
    [
        (LAPTOP, Wishes(kv_cache_bytes=11 * GIB), r"kv_cache_bytes.*11\.0 GiB.*10\.0 GiB"),
        (LAPTOP, Wishes(context_tokens=8193), "max_context_tokens.*8193.*8192"),
        (CUDA, Wishes(kv_cache_bytes=24 * GIB), r"kv_cache_bytes.*24\.0 GiB.*23\.0 GiB"),
        (CUDA, Wishes(context_tokens=8193), "max_context_tokens.*8193.*8192"),
        (CUDA, Wishes(memory_fraction=0.99), r"gpu_memory_fraction.*23\.8 GiB.*23\.0 GiB"),
    ],
)
def test_more_than_there_is_is_refused(hardware: Hardware, wishes: Wishes, told: str) -> None:
    with pytest.raises(EngineStartFailed, match=told):
        choose(hardware, SMOLLM2, wishes)


@pytest.mark.parametrize("hardware", [LAPTOP, CUDA])
def test_all_that_there_is_may_be_wished_for(hardware: Hardware) -> None:
    wishes = Wishes(kv_cache_bytes=8 * GIB, context_tokens=8192, memory_fraction=0.5)
    assert choose(hardware, SMOLLM2, wishes).settings.kv_cache_bytes == 8 * GIB
