"""Which program a process runs, as far as this one may see it."""

from pathlib import Path


def command_of(number: int) -> str:
    """The command line of a process.

    Raises:
        OSError: It has ended, or belongs to others or another container.
    """
    raw = Path(f"/proc/{number}/cmdline").read_bytes()
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()
