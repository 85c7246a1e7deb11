"""Servers to measure: ours, ours over the fake engine, and vLLM's own with the same flags."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx

# On a GPU an engine compiles and captures its graphs first.
READY_TIMEOUT_S = 600.0
BASE = "smollm2-135m-instruct"
VERSIONS, MAX_DOCKED = 4, 4
PROMPT = "Once upon a time there was a number that nobody had counted yet, and it was"


def service_flags(store: Path) -> list[str]:
    """The flags of `python -m service` for the embedded base and small adapters."""
    return [
        *("--base", BASE, "--store", str(store), "--max-docked-versions", str(MAX_DOCKED)),
        *("--max-lora-rank", "16", "--max-context-tokens", "1024"),
    ]


class Server(NamedTuple):
    """A server that answers."""

    url: str
    process: "subprocess.Popen[bytes]"

    def cpu_seconds(self) -> float:
        """What the server's own process has computed, its engine's not included."""
        fields = _stat(self.process.pid, "stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        """Its memory."""
        return int(_stat(self.process.pid, "statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text(encoding="ascii")


@contextlib.contextmanager
def loradock(
    module: str, flags: Sequence[str], log: Path, environment: Mapping[str, str]
) -> Iterator[Server]:
    """Run `python -m MODULE` on a free port until the block ends."""
    with _process([module, *flags, "--port", "0"], log, environment) as process:
        yield Server(_wait(process, log, r"ready: (http://\S+)/v1"), process)


@contextlib.contextmanager
def vllm(
    base: Path, adapters: Mapping[str, Path], engine_flags: Sequence[str], log: Path, port: int
) -> Iterator[Server]:
    """Run vLLM's own server with the same engine until the block ends."""
    modules = [f"{name}={path}" for name, path in adapters.items()]
    flags = [
        *("vllm.entrypoints.openai.api_server", "--model", str(base), "--port", str(port)),
        *("--host", "127.0.0.1", "--served-model-name", base.name, "--enable-lora"),
        *("--lora-modules", *modules, *engine_flags),
    ]
    with _process(flags, log, ENGINE_ENVIRONMENT) as process:
        server = Server(f"http://127.0.0.1:{port}", process)
        _until_healthy(server, log)
        yield server


# What ours sets for its engine on a CPU, so that only the layers above differ.
ENGINE_ENVIRONMENT = {
    "VLLM_PLUGINS": "loradock",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "TORCH_COMPILE_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
}


@contextlib.contextmanager
def _process(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str]
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own modules and vLLM's
            [sys.executable, "-W", "ignore", "-m", *arguments],
            stdout=output,
            stderr=output,
            env={**os.environ, **environment},
        )
    try:
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", log: Path, pattern: str) -> str:
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s and process.poll() is None:
        found = re.search(pattern, log.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1]
        time.sleep(0.1)
    raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-3000:])


def _until_healthy(server: Server, log: Path) -> None:
    deadline_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline_s and server.process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{server.url}/health").status_code == httpx.codes.OK:
                return
        time.sleep(0.2)
    raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-3000:])
