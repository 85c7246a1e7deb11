"""The machine's checks, each with a machine that is well and one that is not."""

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from basemodels.devices import GIB, Device
from basemodels.listing import find_sizes
from basemodels.planning import Wish
from service.doctor import machine
from service.doctor.finding import Finding

AVX2 = "flags : fpu avx2 avx512f"


def smi(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program in the place of NVIDIA's tool."""
    tool = directory / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory))


@pytest.fixture
def no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("build", "cpuinfo", "state", "said"),
    [
        ("cpu", AVX2, "ok", "no bf16, so float32"),
        ("cpu", "flags : avx2 avx512_bf16", "ok", "avx2, avx512_bf16"),
        ("cpu", "flags : sse2", "failed", "no AVX2"),
        ("gpu", AVX2, "failed", "vLLM is the build for GPUs"),
    ],
)
def test_a_cpu_serves_with_its_build_and_avx2(
    build: str, cpuinfo: str, state: str, said: str
) -> None:
    found = machine.device(build, cpuinfo, 2)
    assert found.state == state
    assert said in found.found


@pytest.mark.parametrize(
    ("build", "script", "state", "said"),
    [
        ("gpu", "echo 'RTX 4090, 570.1, 24564 MiB, 24000 MiB, 8.9'", "ok", "RTX 4090, 570.1"),
        ("cpu", "echo 'RTX 4090, 570.1, 24564 MiB, 24000 MiB, 8.9'", "warning", "leaves it idle"),
        ("gpu", "echo 'cannot talk to the driver'; exit 9", "failed", "cannot talk to the driver"),
        ("gpu", "exit 0", "failed", "sees no GPU"),
    ],
)
def test_a_gpu_is_named_with_its_driver(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    build: str,
    script: str,
    state: str,
    said: str,
) -> None:
    smi(tmp_path, monkeypatch, script)
    found = machine.device(build, AVX2, 2)
    assert found.state == state
    assert said in found.found


def test_a_driver_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi(tmp_path, monkeypatch, "exec /bin/sleep 60")
    monkeypatch.setattr(machine, "TOOL_TIMEOUT_S", 0.2)
    assert machine.device("gpu", AVX2, 2).state == "failed"


def capacity(ram: float, disk: float, free: float = 99, *, fetched: bool = False) -> list[Finding]:
    there = Device("a test", 0, int(ram * GIB), int(disk * GIB), half_precision=False)
    sizes = find_sizes("smollm2-135m-instruct")
    available = int(free * GIB)
    return machine.capacity(sizes, there, Wish(), available_bytes=available, fetched=fetched)


def test_memory_and_disk_are_held_against_the_plan() -> None:
    assert [found.state for found in capacity(16, 10)] == ["ok", "ok"]
    memory, disk = capacity(2, 0.1)
    assert (memory.state, disk.state) == ("failed", "failed")
    assert "smaller base" in memory.remedy


def test_memory_that_others_use_now_is_a_warning() -> None:
    memory, _ = capacity(16, 10, free=1)
    assert memory.state == "warning"
    assert "only 1.1 GB are free" in memory.found


def test_a_base_that_is_here_needs_no_more_disk() -> None:
    assert capacity(16, 0.4)[1].state == "failed"
    assert capacity(16, 0.4, fetched=True)[1].state == "ok"


def test_a_container_has_no_more_memory_than_its_limit() -> None:
    there = Device("a test", 0, 8 * GIB, 8 * GIB, half_precision=False)
    assert machine.limited(there, GIB).ram_bytes == GIB


def test_a_believable_clock_is_well(tmp_path: Path) -> None:
    assert machine.clock(sync_dir=tmp_path / "none").state == "ok"
    (tmp_path / "synchronized").touch()
    assert machine.clock(sync_dir=tmp_path).state == "ok"


def test_a_clock_of_1970_fails(tmp_path: Path) -> None:
    found = machine.clock(wall=time.monotonic, sync_dir=tmp_path / "none")
    assert found.state == "failed"
    assert "1970" in found.found


def test_a_clock_that_jumps_and_one_that_nobody_keeps_are_warnings(tmp_path: Path) -> None:
    def faster() -> float:
        return time.time() + 3 * (time.monotonic() - start)

    start = time.monotonic()
    assert "jumped by" in machine.clock(wall=faster, sync_dir=tmp_path / "none").found
    assert "not synchronised" in machine.clock(sync_dir=tmp_path).found


@pytest.fixture
def restored_limit() -> Iterator[int]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_each_request_needs_a_file(restored_limit: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (900, restored_limit))
    assert machine.open_files(100).state == "ok"
    found = machine.open_files(640)
    assert found.state == "warning"
    assert "LimitNOFILE=1152" in found.remedy
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, restored_limit))
    assert machine.open_files(640).state == "failed"


def test_shared_memory_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.shared_memory(tmp_path).state == "ok"
    assert machine.shared_memory(tmp_path / "none").state == "failed"
    monkeypatch.setattr(machine, "LEAST_SHM_BYTES", 1 << 60)
    assert machine.shared_memory(tmp_path).state == "warning"


def test_a_proxy_that_is_asked_for_this_machine_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert machine.proxies().state == "ok"
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    found = machine.proxies()
    assert (found.state, "http_proxy" in found.found) == ("warning", True)
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert machine.proxies().found == "set, and not asked for this machine"
