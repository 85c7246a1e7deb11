"""Choices from facts: a small machine, a large one, one in use, a graphics card."""

from dataclasses import replace

import pytest

from basemodels.devices import GIB
from service.engine.errors import EngineStartFailed
from service.engine.hardware import BaseFacts, Gpu, Hardware
from service.engine.profile import Profile, Wishes, choose

SMOLLM2 = BaseFacts(
    parameters=134_000_000,
    linear=106_000_000,
    kv_values_per_token=11_520,
    lora_values_per_rank=305_280,
    context_tokens=8192,
)
SEVEN_B = BaseFacts(
    parameters=7_240_000_000,
    linear=6_980_000_000,
    kv_values_per_token=65_536,
    lora_values_per_rank=2_621_440,
    context_tokens=32_768,
)
LAPTOP = Hardware(
    cores=(0, 1),
    quota_cores=None,
    native_bf16=False,
    total_bytes=16 * GIB,
    available_bytes=10 * GIB,
    gpu=None,
)
RTX_4090 = Gpu("NVIDIA GeForce RTX 4090", 24 * GIB, 23 * GIB, bf16=True, fp8=True)


def why(profile: Profile, setting: str) -> str:
    (reason,) = (reason for reason in profile.reasons if reason.setting == setting)
    return reason.why


def test_a_laptop_computes_in_float32_on_all_its_cores() -> None:
    profile = choose(LAPTOP, SMOLLM2, Wishes())
    settings = profile.settings
    assert (settings.device, settings.dtype, settings.cores) == ("cpu", "float32", (0, 1))
    assert settings.eager
    assert "no bfloat16 instructions" in why(profile, "dtype")
    assert settings.max_active == settings.max_docked == 16
    assert settings.memory_fraction is None


def test_native_bfloat16_changes_the_reason_alone() -> None:
    profile = choose(replace(LAPTOP, native_bf16=True), SMOLLM2, Wishes())
    assert profile.settings.dtype == "float32"
    assert "PEFT" in why(profile, "dtype")


def test_a_large_machine_leaves_a_core_to_scheduling() -> None:
    server = replace(LAPTOP, cores=tuple(range(32)), available_bytes=100 * GIB)
    settings = choose(server, SMOLLM2, Wishes()).settings
    assert settings.cores == tuple(range(31))
    assert settings.max_sequences == 248


def test_the_quota_of_a_container_bounds_the_cores() -> None:
    profile = choose(replace(LAPTOP, cores=tuple(range(64)), quota_cores=2.5), SMOLLM2, Wishes())
    assert profile.settings.cores == (0, 1)
    assert "2.5 of 64" in why(profile, "cores")


def test_the_cache_holds_a_whole_context_and_is_not_larger_than_useful() -> None:
    settings = choose(LAPTOP, SMOLLM2, Wishes()).settings
    token_bytes = SMOLLM2.kv_values_per_token * 4
    assert settings.kv_cache_bytes is not None
    assert settings.context_tokens == 8192
    assert settings.kv_cache_bytes >= 8192 * token_bytes
    assert settings.kv_cache_bytes <= settings.max_sequences * 1024 * token_bytes  # type: ignore[operator]


def test_everything_fits_into_what_is_available() -> None:
    for available in (5, 8, 16, 64):
        machine = replace(LAPTOP, available_bytes=available * GIB, total_bytes=64 * GIB)
        settings = choose(machine, SMOLLM2, Wishes()).settings
        assert settings.kv_cache_bytes is not None
        adapters = settings.max_docked * settings.max_rank * SMOLLM2.lora_values_per_rank * 4
        total = SMOLLM2.parameters * 4 + adapters + settings.kv_cache_bytes + 2 * GIB
        assert total <= available * GIB


def test_a_tight_machine_gets_a_shorter_context_and_the_reason() -> None:
    tight = replace(LAPTOP, available_bytes=int(3.3 * GIB))
    profile = choose(tight, SMOLLM2, Wishes())
    assert 512 <= profile.settings.context_tokens < 8192
    assert profile.settings.context_tokens % 128 == 0
    assert "GiB of cache" in why(profile, "context_tokens")


def test_too_little_memory_is_told_with_the_figures() -> None:
    with pytest.raises(EngineStartFailed, match=r"31\.5 GiB are needed .* 10\.0 GiB of 16\.0 GiB"):
        choose(LAPTOP, SEVEN_B, Wishes())


def test_a_context_that_was_asked_for_is_not_cut() -> None:
    with pytest.raises(EngineStartFailed, match="KV cache of 8192 tokens"):
        choose(LAPTOP, SMOLLM2, Wishes(context_tokens=8192, kv_cache_bytes=64 << 20))


def test_more_memory_allows_a_higher_rank() -> None:
    ranks = [
        choose(replace(LAPTOP, available_bytes=gib * GIB), SMOLLM2, Wishes()).settings.max_rank
        for gib in (5, 10, 24, 64)
    ]
    assert ranks == sorted(ranks)
    assert ranks[0] == 16
    assert ranks[-1] == 256


@pytest.mark.parametrize(("wished", "stacked"), [(1, 16), (16, 16), (17, 32), (256, 256)])
def test_a_rank_that_was_asked_for_is_stacked_at_the_next_that_vllm_knows(
    wished: int, stacked: int
) -> None:
    assert choose(LAPTOP, SMOLLM2, Wishes(max_rank=wished)).settings.max_rank == stacked


def test_every_wish_is_granted_and_named_as_one() -> None:
    wishes = Wishes(
        max_docked=4,
        max_rank=32,
        dtype="bfloat16",
        context_tokens=1024,
        kv_cache_bytes=GIB,
        max_sequences=3,
    )
    profile = choose(LAPTOP, SMOLLM2, wishes)
    settings = profile.settings
    assert (settings.max_docked, settings.max_rank, settings.dtype) == (4, 32, "bfloat16")
    assert (settings.context_tokens, settings.kv_cache_bytes) == (1024, GIB)
    assert settings.max_sequences == 3
    for setting in ("dtype", "context_tokens", "kv_cache_bytes", "max_sequences"):
        assert why(profile, setting) == "as set"


def test_a_graphics_card_gets_vllms_own_defaults_with_bfloat16() -> None:
    settings = choose(replace(LAPTOP, gpu=RTX_4090), SEVEN_B, Wishes()).settings
    assert (settings.device, settings.dtype, settings.eager) == ("cuda", "bfloat16", False)
    assert settings.memory_fraction == 0.9
    assert settings.kv_cache_bytes is settings.max_sequences is None
    assert settings.max_active == 8
    assert settings.max_docked == 16
    assert settings.max_rank in {16, 32}


def test_an_old_card_computes_in_float16() -> None:
    profile = choose(replace(LAPTOP, gpu=replace(RTX_4090, bf16=False)), SMOLLM2, Wishes())
    assert profile.settings.dtype == "float16"


def test_weights_that_do_not_fit_are_kept_in_8_bits_where_the_card_can() -> None:
    fifteen_b = replace(SEVEN_B, parameters=15_517_000_000, linear=15_200_000_000)
    profile = choose(replace(LAPTOP, gpu=RTX_4090), fifteen_b, Wishes())
    assert profile.settings.quantise == "fp8"
    assert "28.9 GiB do not fit; in 8 bits they take 14.7 GiB" in why(profile, "quantise")
    assert choose(replace(LAPTOP, gpu=RTX_4090), SEVEN_B, Wishes()).settings.quantise is None
    wished = choose(replace(LAPTOP, gpu=RTX_4090), SEVEN_B, Wishes(quantise="fp8"))
    assert wished.settings.quantise == "fp8"
    older = replace(RTX_4090, fp8=False)
    for gpu, wishes in ((older, Wishes()), (RTX_4090, Wishes(quantise="none"))):
        with pytest.raises(EngineStartFailed, match=r"28\.9 GiB are needed for the weights"):
            choose(replace(LAPTOP, gpu=gpu), fifteen_b, wishes)


@pytest.mark.parametrize("gpu", [None, replace(RTX_4090, fp8=False)], ids=["cpu", "older"])
def test_8_bits_are_refused_where_nothing_multiplies_them(gpu: Gpu | None) -> None:
    with pytest.raises(EngineStartFailed, match=r"asks for fp8 on .* 8\.9 or higher"):
        choose(replace(LAPTOP, gpu=gpu), SMOLLM2, Wishes(quantise="fp8"))


def test_a_card_in_use_gives_what_is_free() -> None:
    busy = replace(RTX_4090, free_bytes=18 * GIB)
    profile = choose(replace(LAPTOP, gpu=busy), SMOLLM2, Wishes())
    assert profile.settings.memory_fraction == 0.72
    assert "only 18.0 GiB are free" in why(profile, "memory_fraction")
    wished = choose(replace(LAPTOP, gpu=busy), SMOLLM2, Wishes(memory_fraction=0.5))
    assert wished.settings.memory_fraction == 0.5


def test_a_card_that_is_too_small_is_told_with_the_figures() -> None:
    busy = replace(RTX_4090, free_bytes=6 * GIB)
    with pytest.raises(EngineStartFailed, match=r"RTX 4090 .* 6\.0 GiB of 24\.0 GiB .* weights"):
        choose(replace(LAPTOP, gpu=busy), SEVEN_B, Wishes())


def test_every_reason_says_something_once() -> None:
    for hardware in (LAPTOP, replace(LAPTOP, gpu=RTX_4090)):
        reasons = choose(hardware, SMOLLM2, Wishes()).reasons
        names = [reason.setting for reason in reasons]
        assert len(names) == len(set(names))
        assert all(reason.why and reason.value for reason in reasons)


@pytest.mark.parametrize("gpu", [None, RTX_4090], ids=["cpu", "gpu"])
def test_slots_are_as_wished_and_never_more_than_the_engine_holds(gpu: Gpu | None) -> None:
    machine = replace(LAPTOP, gpu=gpu)
    wished = choose(machine, SMOLLM2, Wishes(max_slots=3))
    assert wished.settings.max_active == 3
    assert why(wished, "max_active") == "as set"
    assert choose(machine, SMOLLM2, Wishes(max_docked=2, max_slots=3)).settings.max_active == 2
    assert choose(machine, SMOLLM2, Wishes(max_docked=2)).settings.max_active == 2
