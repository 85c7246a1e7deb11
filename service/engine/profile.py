"""From a machine's facts to the engine's settings: a pure function, every choice with its reason."""

import math
from dataclasses import dataclass
from typing import Literal, TypeVar

from basemodels.devices import GIB
from service.engine.errors import EngineStartFailed
from service.engine.hardware import BaseFacts, Gpu, Hardware, gib
from service.engine.refusing import refuse_small_gpu, refuse_too_much

Dtype = Literal["float32", "bfloat16", "float16"]
VALUE_BYTES: dict[Dtype, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
# vLLM stacks adapters at one of these ranks.
RANKS = (256, 128, 64, 32, 16)
# What the engine's processes take beside weights, adapters and KV cache.
CPU_PROCESS_BYTES = 2 * GIB
# Left to whatever else runs on the machine.
CPU_SPARE_FRACTION = 0.1
SEQUENCES_PER_CORE = 8
CPU_TOKENS_PER_SEQUENCE = 1024
CPU_KV_FRACTION = 0.4
# Up to here every core computes; above, one is left to scheduling, as vLLM does.
ALL_CORES_UP_TO = 4
LORA_FRACTION = 0.1
LEAST_CONTEXT_TOKENS = 512
KV_BLOCK_TOKENS = 128
GPU_FRACTION = 0.9
GPU_MAX_RANK = 64
GPU_MAX_ACTIVE = 8
GPU_SPARE_BYTES = GIB // 2

T = TypeVar("T")


@dataclass(frozen=True)
class Wishes:
    """What the user wants to be so; None leaves the choice to the profile.

    Attributes:
        max_docked: Adapters in the engine at once.
        max_slots: Adapters computed in one step, at most `max_docked`.
        max_rank: The highest rank of an adapter.
        dtype: In which numbers the model computes.
        quantise: In which its linear weights are kept; "none": in those of `dtype`.
        context_tokens: The longest prompt and answer together.
        kv_cache_bytes: Memory for the KV cache, on a CPU.
        memory_fraction: The share of a GPU's memory, above 0 and up to 1.
        max_sequences: Requests computed at once.
    """

    max_docked: int = 16
    max_slots: int | None = None
    max_rank: int | None = None
    dtype: Dtype | None = None
    quantise: Literal["none", "fp8"] | None = None
    context_tokens: int | None = None
    kv_cache_bytes: int | None = None
    memory_fraction: float | None = None
    max_sequences: int | None = None


@dataclass(frozen=True)
class EngineSettings:
    """What vLLM is told; None leaves it vLLM's own default.

    Attributes:
        max_active: Adapters that may share one batch.
        cores: Logical CPUs to compute on; none on a GPU.
        quantise: In which numbers linear weights are kept, if not in those of `dtype`.
    """

    device: Literal["cpu", "cuda"]
    dtype: Dtype
    context_tokens: int
    max_docked: int
    max_active: int
    max_rank: int
    eager: bool
    max_sequences: int | None
    kv_cache_bytes: int | None
    memory_fraction: float | None
    cores: tuple[int, ...]
    quantise: Literal["fp8"] | None = None


@dataclass(frozen=True)
class Reason:
    """Why one setting is as it is; the service logs it."""

    setting: str
    value: str
    why: str


@dataclass(frozen=True)
class Profile:
    """Settings and the reasons for them."""

    settings: EngineSettings
    reasons: tuple[Reason, ...]


def choose(hardware: Hardware, base: BaseFacts, wishes: Wishes) -> Profile:
    """Choose the settings for a machine and a base model.

    Raises:
        EngineStartFailed: The memory is too small; the text names the figures.
    """
    refuse_too_much(hardware, base, wishes)
    chooser = _Chooser(base, wishes)
    gpu = hardware.gpu
    settings = chooser.for_gpu(gpu) if gpu is not None else chooser.for_cpu(hardware)
    return Profile(settings, tuple(chooser.reasons))


class _Chooser:
    """Collects the reasons while it chooses."""

    def __init__(self, base: BaseFacts, wishes: Wishes) -> None:
        self._base = base
        self._wishes = wishes
        self.reasons: list[Reason] = []

    def for_cpu(self, hardware: Hardware) -> EngineSettings:
        base, wishes = self._base, self._wishes
        dtype = self._cpu_dtype(hardware)
        value_bytes = VALUE_BYTES[dtype]
        cores = self._cores(hardware)
        usable = int(hardware.available_bytes * (1 - CPU_SPARE_FRACTION))
        fixed = CPU_PROCESS_BYTES + base.parameters * value_bytes
        max_rank = self._rank(value_bytes, wishes.max_docked, usable - fixed, RANKS[0])
        fixed += max_rank * self._rank_bytes(value_bytes, wishes.max_docked)
        sequences = self._or_wished(
            "max_sequences",
            wishes.max_sequences,
            min(256, max(8, SEQUENCES_PER_CORE * len(cores))),
            f"{SEQUENCES_PER_CORE} for each core: batches raise throughput, but each needs cache",
        )
        token_bytes = base.kv_values_per_token * value_bytes
        context = self._or_wished(
            "context_tokens", wishes.context_tokens, base.context_tokens, "the base model's own"
        )
        kv_bytes = self._kv_bytes(sequences, context, token_bytes, usable - fixed)
        context = self._fitting_context(context, kv_bytes, token_bytes, fixed, hardware)
        return EngineSettings(
            device="cpu",
            dtype=dtype,
            context_tokens=context,
            max_docked=wishes.max_docked,
            max_active=self._slots(
                wishes.max_docked, "on a CPU a place in the batch costs no more"
            ),
            max_rank=max_rank,
            eager=self._say(
                "eager", True, "vLLM does not compile with LoRA on a CPU; this skips its warm-up"
            ),
            max_sequences=sequences,
            kv_cache_bytes=kv_bytes,
            memory_fraction=None,
            cores=cores,
        )

    def for_gpu(self, gpu: Gpu) -> EngineSettings:
        base, wishes = self._base, self._wishes
        dtype = self._gpu_dtype(gpu)
        value_bytes = VALUE_BYTES[dtype]
        fraction = self._fraction(gpu)
        share = int(gpu.total_bytes * fraction)
        max_active = self._slots(
            GPU_MAX_ACTIVE,
            f"each takes its place in the GPU's memory; up to {GPU_MAX_ACTIVE} share a batch",
        )
        context = wishes.context_tokens or base.context_tokens
        least_kv = min(context, LEAST_CONTEXT_TOKENS) * base.kv_values_per_token * value_bytes
        lowest = RANKS[-1] * self._rank_bytes(value_bytes, max_active)
        quantise = self._quantise(gpu, value_bytes, share - least_kv - lowest)
        weights = base.weight_bytes(value_bytes, quantise)
        max_rank = self._rank(value_bytes, max_active, share - weights, GPU_MAX_RANK)
        slots = max_rank * self._rank_bytes(value_bytes, max_active)
        refuse_small_gpu(gpu, share, weights=weights, slots=slots, kv=least_kv)
        return EngineSettings(
            device="cuda",
            dtype=dtype,
            context_tokens=context,
            max_docked=wishes.max_docked,
            max_active=max_active,
            max_rank=max_rank,
            eager=self._say("eager", False, "vLLM's own default: CUDA graphs and compilation"),
            max_sequences=wishes.max_sequences,
            kv_cache_bytes=wishes.kv_cache_bytes,
            memory_fraction=fraction,
            cores=(),
            quantise=quantise,
        )

    def _quantise(self, gpu: Gpu, value_bytes: int, room_bytes: int) -> Literal["fp8"] | None:
        wished = self._wishes.quantise
        if wished is not None:
            return self._say("quantise", "fp8", "as set") if wished == "fp8" else None
        plain, small = (self._base.weight_bytes(value_bytes, kind) for kind in (None, "fp8"))
        if not gpu.fp8 or plain <= room_bytes:
            return None
        why = f"weights of {gib(plain)} do not fit; in 8 bits they take {gib(small)}"
        return self._say("quantise", "fp8", why)

    def _cpu_dtype(self, hardware: Hardware) -> Dtype:
        why = (
            "equal to PEFT's float32 to 1e-3 in every log-probability; dtype bfloat16, which this "
            "CPU multiplies in hardware, is faster and less exact"
            if hardware.native_bf16
            else "this CPU has no bfloat16 instructions; emulated, it is several times slower"
        )
        return self._or_wished("dtype", self._wishes.dtype, "float32", why)

    def _gpu_dtype(self, gpu: Gpu) -> Dtype:
        if gpu.bf16:
            return self._or_wished("dtype", self._wishes.dtype, "bfloat16", f"{gpu.name} has it")
        why = f"{gpu.name} has no bfloat16 instructions"
        return self._or_wished("dtype", self._wishes.dtype, "float16", why)

    def _cores(self, hardware: Hardware) -> tuple[int, ...]:
        cores = hardware.cores
        if hardware.quota_cores is not None and hardware.quota_cores < len(cores):
            count = max(1, int(hardware.quota_cores))
            why = f"the container's quota is {hardware.quota_cores:g} of {len(cores)} cores"
            return self._say("cores", cores[:count], why)
        if len(cores) > ALL_CORES_UP_TO:
            return self._say("cores", cores[:-1], "all but one, which schedules")
        return self._say("cores", cores, "all; vLLM's own default would leave one idle")

    def _slots(self, chosen: int, why: str) -> int:
        # An adapter that runs but is not held would be read from disk inside a step.
        wishes = self._wishes
        wished = None if wishes.max_slots is None else min(wishes.max_slots, wishes.max_docked)
        return self._or_wished("max_active", wished, min(chosen, wishes.max_docked), why)

    def _rank_bytes(self, value_bytes: int, adapters: int) -> int:
        return adapters * self._base.lora_values_per_rank * value_bytes

    def _rank(self, value_bytes: int, adapters: int, free_bytes: int, highest: int) -> int:
        each = self._rank_bytes(value_bytes, adapters)
        limit = int(max(0, free_bytes) * LORA_FRACTION)
        fitting = [rank for rank in RANKS if rank <= highest and rank * each <= limit]
        rank = fitting[0] if fitting else RANKS[-1]
        why = f"{adapters} adapters of it take {gib(rank * each)}"
        wished = self._wishes.max_rank
        if wished is None:
            return self._say("max_rank", rank, why)
        stacked = min(known for known in RANKS if known >= min(wished, RANKS[0]))
        return self._say("max_rank", stacked, "as set, at the next rank that vLLM stacks")

    def _kv_bytes(self, sequences: int, context: int, token_bytes: int, free_bytes: int) -> int:
        useful = max(context, sequences * min(context, CPU_TOKENS_PER_SEQUENCE)) * token_bytes
        chosen = min(useful, int(max(0, free_bytes) * CPU_KV_FRACTION))
        why = (
            f"for {sequences} requests of {CPU_TOKENS_PER_SEQUENCE} tokens or one of {context}, "
            f"at most {CPU_KV_FRACTION:.0%} of the memory that is left"
        )
        return self._or_wished("kv_cache_bytes", self._wishes.kv_cache_bytes, chosen, why)

    def _fitting_context(
        self, context: int, kv_bytes: int, token_bytes: int, fixed_bytes: int, hardware: Hardware
    ) -> int:
        # vLLM keeps the cache in blocks, and one of them for itself.
        fits = kv_bytes // token_bytes // KV_BLOCK_TOKENS * KV_BLOCK_TOKENS - KV_BLOCK_TOKENS
        if fits >= context:
            return context
        if fits >= LEAST_CONTEXT_TOKENS and self._wishes.context_tokens is None:
            return self._say("context_tokens", fits, f"as many as {gib(kv_bytes)} of cache hold")
        least = min(context, self._wishes.context_tokens or LEAST_CONTEXT_TOKENS)
        needed = least * token_bytes / CPU_KV_FRACTION
        raise EngineStartFailed(
            f"There is too little free memory for this base model: {gib(fixed_bytes)} are needed "
            f"for weights, adapters and processes, and about {gib(int(needed))} more for a KV "
            f"cache of {least} tokens, but {gib(hardware.available_bytes)} of "
            f"{gib(hardware.total_bytes)} are free, of which {CPU_SPARE_FRACTION:.0%} are left "
            "to others. End what else uses memory, or choose a smaller base model, a shorter "
            "context, a lower max_lora_rank or fewer docked versions."
        )

    def _fraction(self, gpu: Gpu) -> float:
        free = math.floor((gpu.free_bytes - GPU_SPARE_BYTES) / gpu.total_bytes * 100) / 100
        if free < GPU_FRACTION:
            why = f"of {gib(gpu.total_bytes)} only {gib(gpu.free_bytes)} are free"
            return self._or_wished(
                "memory_fraction", self._wishes.memory_fraction, max(0.01, free), why
            )
        why = f"{gib(gpu.free_bytes)} are free; the rest is for the driver and the display"
        return self._or_wished("memory_fraction", self._wishes.memory_fraction, GPU_FRACTION, why)

    def _or_wished(self, setting: str, wished: T | None, chosen: T, why: str) -> T:
        if wished is not None:
            return self._say(setting, wished, "as set")
        return self._say(setting, chosen, why)

    def _say(self, setting: str, value: T, why: str) -> T:
        self.reasons = [reason for reason in self.reasons if reason.setting != setting]
        self.reasons.append(Reason(setting, str(value), why))
        return value
