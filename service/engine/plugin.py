"""What vLLM runs in each of its processes: our LoRA on a CPU, more LoRA models, and no orphans.

Declared as a `vllm.general_plugins` entry point, so it also works under plain `vllm serve`.
Must stay light, since it is imported before vLLM knows its platform.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from multiprocessing import util

# Named here and imported by vLLM when a model of the architecture is loaded.
LORA_ARCHITECTURES = {
    "GPT2LMHeadModel": "service.engine.lora_architectures:GPT2WithLora",
    "FalconForCausalLM": "service.engine.lora_architectures:FalconWithLora",
    "GPTBigCodeForCausalLM": "service.engine.lora_architectures:BigCodeWithLora",
}
CPU_WRAPPER = "service.engine.cpu_lora.GroupedPunicaWrapper"
# Set by VllmEngine for its child processes; without it nobody's processes are touched.
# Not LORADOCK_...: those are settings, and an unknown one is an error.
DIE_WITH_PARENT = "ENGINE_OF_LORADOCK_DIES_WITH_PARENT"
PR_SET_PDEATHSIG = 1


def register() -> None:
    """Do all of it; called any number of times."""
    if os.environ.get(DIE_WITH_PARENT) == "1" and multiprocessing.parent_process() is not None:
        die_with_parent()
        # After what multiprocessing itself cleans up, which has priority 0.
        util.Finalize(None, end_at_once, exitpriority=-1)
    # vLLM is loaded when it calls this; the platform alone decides, and CUDA is left as it is.
    from vllm import ModelRegistry  # noqa: PLC0415 - heavy, and only there by then
    from vllm.platforms import current_platform  # noqa: PLC0415

    for architecture, name in LORA_ARCHITECTURES.items():
        ModelRegistry.register_model(architecture, name)
    if current_platform.is_cpu():
        use_grouped_lora(type(current_platform))


def use_grouped_lora(platform: type) -> None:
    """Name our class where vLLM's CPU platform names its own."""

    def get_punica_wrapper(cls: type) -> str:  # noqa: ARG001 - the signature is vLLM's
        return CPU_WRAPPER

    platform.get_punica_wrapper = classmethod(get_punica_wrapper)  # type: ignore[attr-defined]


def die_with_parent() -> None:
    """Let the kernel kill this process when the one that started it dies, however it dies.

    Only for processes started by multiprocessing, and only on Linux, where the call exists. The
    thread that started this process must live as long as its process.
    """
    parent = multiprocessing.parent_process()
    if parent is None or not os.path.exists("/proc/self"):  # noqa: PTH110 - no pathlib yet
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # It may have died while this process was still importing.
    if os.getppid() != parent.pid:
        os._exit(1)


def end_at_once() -> None:
    """End a process whose work is done; Python would first look for garbage, for seconds."""
    # While an error is on its way, Python has still to print it.
    if sys.exc_info()[0] in {None, SystemExit}:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
