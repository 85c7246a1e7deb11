"""Where a decode step's time goes: each part's own time, without that of the parts it calls.

The parts are vLLM's functions by name, so an upgrade that moves one of them fails here by name.
"""

import functools
import importlib
import time
from collections import defaultdict
from collections.abc import Callable

RUNNER = "vllm.v1.worker.gpu_model_runner:GPUModelRunner"
LORA = "service.engine.cpu_lora:GroupedPunicaWrapper"
# The outermost is the step itself: what none of the others takes.
STEP = "the rest of a step"
PARTS: dict[str, tuple[str, ...]] = {
    STEP: ("vllm.v1.engine.llm_engine:LLMEngine.step",),
    "scheduling": (
        "vllm.v1.core.sched.scheduler:Scheduler.schedule",
        "vllm.v1.core.sched.scheduler:Scheduler.update_from_output",
    ),
    "preparing a batch": (f"{RUNNER}.execute_model",),
    "matrices": (
        "vllm.model_executor.layers.linear:UnquantizedLinearMethod.apply",
        "vllm.model_executor.layers.vocab_parallel_embedding:UnquantizedEmbeddingMethod.apply",
    ),
    "attention": ("vllm.v1.attention.backends.cpu_attn:CPUAttentionBackendImpl.forward",),
    "adapters": (
        f"{LORA}.update_metadata",
        f"{LORA}.add_lora_linear",
        f"{LORA}.add_lora_embedding",
        f"{LORA}.add_lora_logits",
    ),
    "norms, activations, positions": (f"{RUNNER}._model_forward",),
    "sampling": (f"{RUNNER}.sample_tokens",),
    "detokenising": ("vllm.v1.engine.output_processor:OutputProcessor.process_outputs",),
}


class Stopwatch:
    """Counts seconds by part.

    Args:
        clock: Gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._clock = clock
        # For each call that is under way: the seconds of the timed calls within it.
        self._within: list[float] = []

    def timed(self, part: str, function: Callable[..., object]) -> Callable[..., object]:
        """The function, whose own time is counted for a part."""

        @functools.wraps(function)
        def call(*args: object, **kwargs: object) -> object:
            self._within.append(0.0)
            started_s = self._clock()
            try:
                return function(*args, **kwargs)
            finally:
                took_s = self._clock() - started_s
                self.seconds[part] += took_s - self._within.pop()
                if self._within:
                    self._within[-1] += took_s

        return call

    def watch(self) -> None:
        """Put itself around every part of `PARTS`, for the rest of the process.

        Raises:
            AttributeError: vLLM has no such function.
        """
        for part, places in PARTS.items():
            for place in places:
                module, _, name = place.partition(":")
                owner_name, _, function_name = name.partition(".")
                owner = getattr(importlib.import_module(module), owner_name)
                setattr(owner, function_name, self.timed(part, getattr(owner, function_name)))
