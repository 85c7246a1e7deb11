"""Runs within the confined process, as a script: set limits, load one program, call it, count.

Knows nothing of the project and imports nothing but the standard library. Standard input holds the
request and standard output takes the answer, both one JSON document.
"""

import builtins
import importlib.util
import json
import resource
import sys
from types import FrameType
from typing import Any

MEBIBYTE = 1 << 20


class LimitReached(BaseException):
    """The program ran for too many instructions."""


class Counter:
    """What the program tells of its operations."""

    def __init__(self) -> None:
        self.total = 0

    def count(self, times: int = 1) -> None:
        """Note operations."""
        self.total += times


class Meter:
    """Counts the instructions of the program's own frames; a program cannot keep any from it."""

    def __init__(self, path: str, limit: int) -> None:
        self.total = 0
        self._path = path
        self._limit = limit

    def __call__(self, frame: FrameType, event: str, _: object) -> "Meter | None":
        """Called by the interpreter for every frame and, within the program, every instruction."""
        if frame.f_code.co_filename != self._path:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if event == "opcode":
            self.total += 1
            if self.total > self._limit:
                raise LimitReached
        return self


def limit_process(memory_mib: int, cpu_s: int) -> None:
    """Give up what a computation does not need, for good."""
    for kind, amount in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, memory_mib * MEBIBYTE),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (amount, amount))


def load(path: str, allowed: list[str]) -> dict[str, Any]:
    """Define the program's functions, with a few builtins and nothing else in sight."""
    spec = importlib.util.spec_from_file_location("program", path)
    if spec is None or spec.loader is None:
        raise AssertionError(f"no loader for {path}")
    module = importlib.util.module_from_spec(spec)
    kept = {name: getattr(builtins, name) for name in allowed if hasattr(builtins, name)}
    module.__dict__.update({"__builtins__": kept, "Operations": Counter, "object": object})
    spec.loader.exec_module(module)
    return module.__dict__


def run_case(entry: Any, path: str, arguments: list[Any], limit: int) -> dict[str, Any]:  # noqa: ANN401 - the program's
    """Call the program once."""
    counter, meter = Counter(), Meter(path, limit)
    sys.settrace(meter)
    try:
        result = entry(*arguments, counter)
    except LimitReached:
        return {"error": f"more than {limit} instructions"}
    except (MemoryError, RecursionError) as error:
        return {"error": f"{type(error).__name__}: too much memory or too deep a recursion"}
    except Exception as error:  # noqa: BLE001 - whatever the program does wrong is its result
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    finally:
        sys.settrace(None)
    return {"result": result, "instructions": meter.total, "operations": counter.total}


def main() -> None:
    """Answer the request on standard input."""
    sys.dont_write_bytecode = True
    request = json.load(sys.stdin)
    limit_process(request["memory_mib"], request["cpu_s"])
    path = request["path"]
    functions = load(path, request["builtins"])
    answers = [
        run_case(functions[request["entry"]], path, arguments, request["max_instructions"])
        for arguments in request["cases"]
    ]
    try:
        text = json.dumps(answers)
    except (TypeError, ValueError) as error:
        text = json.dumps([{"error": f"the result is no plain value: {error}"}] * len(answers))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
