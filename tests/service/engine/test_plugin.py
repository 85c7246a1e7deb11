"""What runs in vLLM's processes: nothing heavy, nothing on CUDA, and no orphans."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.engine.plugin import CPU_WRAPPER, LORA_ARCHITECTURES, die_with_parent, use_grouped_lora

ROOT = Path(__file__).resolve().parents[3]


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, service.engine.plugin; print({'torch', 'vllm'} & set(sys.modules))"
    assert run(code).stdout.strip() == "set()"


def test_the_platform_names_our_class_afterwards() -> None:
    class Platform:
        @classmethod
        def get_punica_wrapper(cls) -> str:
            return "stock"

    class Other(Platform):
        pass

    use_grouped_lora(Other)
    assert Other.get_punica_wrapper() == Other().get_punica_wrapper() == CPU_WRAPPER
    assert Platform.get_punica_wrapper() == "stock"


# A stand-in for vLLM's platform, so that both kinds can be tried anywhere.
REGISTERED = """
import sys, types
class Platform:
    def is_cpu(self): return {on_cpu}
    @classmethod
    def get_punica_wrapper(cls): return "stock"
platforms = types.ModuleType("vllm.platforms")
platforms.current_platform = Platform()
registered = set()
class ModelRegistry:
    register_model = staticmethod(lambda architecture, name: registered.add(architecture))
sys.modules["vllm"] = types.ModuleType("vllm")
sys.modules["vllm"].ModelRegistry = ModelRegistry
sys.modules["vllm.platforms"] = platforms
from service.engine.plugin import register
register()
register()
print(Platform.get_punica_wrapper(), "torch" in sys.modules, *sorted(registered))
"""


def test_our_arithmetic_is_registered_on_a_cpu_alone_and_our_models_everywhere() -> None:
    models = sorted(LORA_ARCHITECTURES)
    assert run(REGISTERED.format(on_cpu=True)).stdout.split() == [CPU_WRAPPER, "False", *models]
    assert run(REGISTERED.format(on_cpu=False)).stdout.split() == ["stock", "False", *models]


@pytest.mark.engine
def test_vllm_finds_it_by_its_entry_point() -> None:
    code = (
        "from vllm.plugins import load_general_plugins; load_general_plugins()\n"
        "from vllm.platforms import current_platform\n"
        "print(current_platform.get_punica_wrapper())"
    )
    found = run(code, VLLM_PLUGINS="loradock")
    assert found.stdout.split()[-1] == CPU_WRAPPER, found.stderr


def test_a_process_that_nobody_started_by_multiprocessing_is_left_alone() -> None:
    die_with_parent()


PARENT = """
import multiprocessing, os, signal, sys, time
from service.engine.plugin import die_with_parent

def child(pids):
    die_with_parent()
    pids.send(os.getpid())
    time.sleep(600)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    context.Process(target=child, args=(sender,)).start()
    print(receiver.recv(), flush=True)
    time.sleep(600)
"""


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waits for may linger as a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rsplit(")", 1)[1].split()[0] == "Z"


def all_gone(pids: list[int], within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        if all(map(gone, pids)):
            return True
        time.sleep(0.02)
    return False


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdout is not None
        child_pid = int(parent.stdout.readline())
        assert not gone(child_pid)
        os.kill(parent.pid, signal.SIGKILL)
        assert all_gone([child_pid], within_s=5)


@pytest.mark.engine
def test_the_engine_ends_when_the_server_is_killed(tiny_base: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.service.engine.host", str(tiny_base)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as host:
        assert host.stdout is not None
        # vLLM writes there too.
        pids: list[int] = json.loads(next(line for line in host.stdout if line.startswith("[")))
        assert len(pids) >= 1
        assert not any(map(gone, pids))
        os.kill(host.pid, signal.SIGKILL)
        assert all_gone(pids, within_s=5)
