"""Wishes for the engine that cannot come true, told before vLLM finds out after a minute."""

from typing import TYPE_CHECKING

from service.engine.errors import EngineStartFailed
from service.engine.hardware import BaseFacts, Gpu, Hardware, gib

if TYPE_CHECKING:
    from service.engine.profile import Wishes


def refuse_too_much(hardware: Hardware, base: BaseFacts, wishes: "Wishes") -> None:
    """Say which wish is more than there is; nothing has started yet.

    Raises:
        EngineStartFailed: One is.
    """
    gpu = hardware.gpu
    if wishes.quantise == "fp8" and not (gpu and gpu.fp8):
        where = f"the {gpu.name}" if gpu else "a CPU"
        raise EngineStartFailed(
            f"quantise asks for fp8 on {where}, expected a GPU that multiplies it in hardware "
            "(compute capability 8.9 or higher, an RTX 4090 for example). Leave it unset."
        )
    free = hardware.available_bytes if gpu is None else gpu.free_bytes
    share = 0 if gpu is None else int((wishes.memory_fraction or 0) * gpu.total_bytes)
    for name, wished, there, shown in (
        ("kv_cache_bytes", wishes.kv_cache_bytes or 0, free, gib),
        ("gpu_memory_fraction", share, free, gib),
        ("max_context_tokens", wishes.context_tokens or 0, base.context_tokens, str),
    ):
        if wished > there:
            raise EngineStartFailed(
                f"{name} asks for {shown(wished)}, expected at most the {shown(there)} that "
                "there are. Lower it, or leave it unset to have it chosen."
            )


def refuse_small_gpu(gpu: Gpu, share: int, *, weights: int, slots: int, kv: int) -> None:
    """Say that a base model does not fit on a GPU, and by which figures.

    Args:
        gpu: The GPU.
        share: Bytes of it that may be used.
        weights: Bytes of the base's weights.
        slots: Bytes of the adapters in a batch.
        kv: Bytes of the smallest KV cache.

    Raises:
        EngineStartFailed: It does not.
    """
    if weights + slots + kv > share:
        raise EngineStartFailed(
            f"The GPU {gpu.name} has too little free memory for this base model: "
            f"{gib(gpu.free_bytes)} of {gib(gpu.total_bytes)} are free, and {gib(share)} may be "
            f"used; {gib(weights)} are needed for the weights, {gib(slots)} for adapters and "
            f"{gib(kv)} for the KV cache. End what else runs on it, or choose a smaller base model, "
            "a lower max_lora_rank or fewer docked versions."
        )
