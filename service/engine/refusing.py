"""Wishes for the engine that cannot come true, told before vLLM finds out after a minute."""

from typing import TYPE_CHECKING

from service.engine.errors import EngineStartFailed
from service.engine.hardware import BaseFacts, Hardware, gib

if TYPE_CHECKING:
    from service.engine.profile import Wishes


def refuse_too_much(hardware: Hardware, base: BaseFacts, wishes: "Wishes") -> None:
    """Say which wish is more than there is; nothing has started yet.

    Raises:
        EngineStartFailed: One is.
    """
    gpu = hardware.gpu
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
