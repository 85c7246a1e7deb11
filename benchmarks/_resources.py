"""What a server and all processes below it hold: memory, file handles, threads. Linux alone."""

import os
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")


class Resources(NamedTuple):
    """Sums over processes; memory counts a shared page for each process that has it."""

    memory_bytes: int
    handles: int
    threads: int


def below(pid: int) -> list[int]:
    """A process and all that it has started, however deep."""
    found = [pid]
    for tasks in (PROC / str(pid) / "task").glob("*/children"):
        for child in tasks.read_text(encoding="ascii").split():
            found += below(int(child))
    return found


def held(pid: int) -> Resources:
    """What a process and those below it hold now."""
    found = [_of(PROC / str(one)) for one in below(pid)]
    return Resources(*(sum(values) for values in zip(*found, strict=True)))


def _of(process: Path) -> Resources:
    pages = int((process / "statm").read_text(encoding="ascii").split()[1])
    return Resources(
        pages * os.sysconf("SC_PAGE_SIZE"),
        len(list((process / "fd").iterdir())),
        len(list((process / "task").iterdir())),
    )
