"""What vLLM is told, and what it never is."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.engine.profile import EngineSettings

if TYPE_CHECKING:
    from vllm.engine.arg_utils import AsyncEngineArgs

pytestmark = pytest.mark.usefixtures("vllm_imported")

CPU = EngineSettings(
    device="cpu",
    dtype="float32",
    context_tokens=1024,
    max_docked=4,
    max_active=4,
    max_rank=32,
    eager=True,
    max_sequences=8,
    kv_cache_bytes=1 << 28,
    memory_fraction=None,
    cores=(0,),
)
CUDA = replace(
    CPU,
    device="cuda",
    eager=False,
    max_sequences=None,
    kv_cache_bytes=None,
    memory_fraction=0.7,
    max_active=2,
    cores=(),
)


def args_for(settings: EngineSettings) -> "AsyncEngineArgs":
    from service.engine.launching import engine_args

    return engine_args(Path("base"), "id", settings)


def test_settings_arrive_under_vllms_names() -> None:
    args = args_for(CPU)
    assert (args.model, args.served_model_name, args.dtype) == ("base", "id", "float32")
    assert (args.max_loras, args.max_cpu_loras, args.max_lora_rank) == (4, 4, 32)
    assert (args.max_model_len, args.max_num_seqs) == (1024, 8)
    assert args.kv_cache_memory_bytes == 1 << 28
    assert args.enforce_eager
    assert args.enable_lora


def test_traces_go_where_they_are_told_and_nowhere_by_themselves() -> None:
    from service.engine.launching import engine_args

    assert args_for(CPU).otlp_traces_endpoint is None
    url = "http://127.0.0.1:4318/v1/traces"
    assert engine_args(Path("base"), "id", CPU, url).otlp_traces_endpoint == url


def test_what_the_profile_leaves_open_stays_vllms_own_default() -> None:
    from vllm.engine.arg_utils import AsyncEngineArgs

    args = args_for(CUDA)
    plain = AsyncEngineArgs(model="base")
    assert args.max_num_seqs == plain.max_num_seqs
    assert args.kv_cache_memory_bytes == plain.kv_cache_memory_bytes
    assert args.enforce_eager == plain.enforce_eager
    assert args.gpu_memory_utilization == 0.7
    assert args.max_loras == 2


def test_8_bit_weights_are_made_by_a_way_that_vllm_knows() -> None:
    from vllm.config.quantization import _ONLINE_SHORTHANDS

    assert args_for(CUDA).quantization is None
    way = args_for(replace(CUDA, quantise="fp8")).quantization
    assert _ONLINE_SHORTHANDS[way].linear is not None


def test_nothing_from_a_models_directory_is_executed() -> None:
    args = args_for(CPU)
    assert args.load_format == "safetensors"
    assert args.trust_remote_code is False


@pytest.mark.parametrize(
    ("named", "loaded"),
    [
        (None, "loradock"),
        ("", "loradock"),
        ("bnb", "bnb,loradock"),
        ("loradock,bnb", "loradock,bnb"),
    ],
)
def test_our_plugin_is_loaded_with_those_the_user_names(named: str | None, loaded: str) -> None:
    from service.engine.launching import with_our_plugin

    assert with_our_plugin({} if named is None else {"VLLM_PLUGINS": named}) == loaded


def test_a_base_model_that_is_not_there_is_told(tmp_path: Path, environment: None) -> None:
    from service.engine.errors import EngineStartFailed
    from service.engine.launching import start

    cores = os.sched_getaffinity(0)
    with pytest.raises(EngineStartFailed, match=r"did not start on .*nothing"):
        start(tmp_path / "nothing", "id", replace(CPU, cores=tuple(cores)))
    assert os.environ["HF_HUB_OFFLINE"] == "1"
