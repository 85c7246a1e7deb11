"""Which steps can reach the answer: a backwards analysis that follows conditions and loops."""

from collections.abc import Iterator

from pseudocode.flow import LOOPS, flow_of
from pseudocode.program import Line, Name, Program

# Names that pass values on through a long loop take a sweep each; text could make that slow.
_MAX_VISITS = 200_000
_STEPS = frozenset({"step", "append", "ask"})


def unused_steps(program: Program) -> list[Line]:
    """Return the steps whose value no return line, and nothing that leads to one, can need.

    A step that only unused steps use is unused too; what a condition or loop looks at is used. Of a
    program so tangled that this takes too long to find out, nothing is said.
    """
    liveness = _Liveness(program)
    return list(liveness.unused()) if liveness.settle() else []


class _Liveness:
    """Names that are needed before each row, as bits; a row can be reached in two ways.

    Attributes:
        falling: Before a row that is reached from the one above it.
        jumping: Before a row that is reached because the condition of its frame did not hold.
    """

    def __init__(self, program: Program) -> None:
        self._lines = program.lines
        self._flow = flow_of(program.lines)
        self._bits: dict[str, int] = {}
        self._uses = [self._used_by(line) for line in self._lines]
        self.falling = [0] * (len(self._lines) + 1)
        self.jumping = [0] * (len(self._lines) + 1)

    def settle(self) -> bool:
        """Carry what loops need around them until nothing changes; whether that was in time."""
        sweeps = 1 + _MAX_VISITS // len(self._lines)
        return any(not self._sweep() for _ in range(sweeps))

    def unused(self) -> Iterator[Line]:
        for place, line in enumerate(self._lines):
            if line.kind in _STEPS and not self.falling[place + 1] & self._bit(line.name):
                yield line

    def _bit(self, name: str) -> int:
        return self._bits.setdefault(name, 1 << len(self._bits))

    def _used_by(self, line: Line) -> int:
        bits = 0
        for part in line.code:
            if isinstance(part, Name):
                bits |= self._bit(part.name)
        return bits

    def _sweep(self) -> bool:
        """Go through all rows backwards; whether a loop needs more than was known."""
        changed = False
        for place in range(len(self._lines) - 1, -1, -1):
            before = self.falling[place], self.jumping[place]
            self.falling[place] = self._fallen(place)
            self.jumping[place] = self._jumped(place)
            is_loop = self._lines[place].kind in LOOPS
            changed |= is_loop and before != (self.falling[place], self.jumping[place])
        return changed

    def _fallen(self, place: int) -> int:
        line = self._lines[place]
        after = self.falling[place + 1]
        if line.kind == "return":
            return self._uses[place]
        if line.kind in _STEPS:
            bit = self._bit(line.name)
            if not after & bit:
                return after
            return (after if line.kind == "append" else after & ~bit) | self._uses[place]
        if line.kind in ("else if", "else"):
            return self.falling[self._flow.end[place] + 1]
        if line.kind == "end":
            return self.falling[self._flow.begin.get(place, place + 1)]
        return self._conditional(place)

    def _jumped(self, place: int) -> int:
        kind = self._lines[place].kind
        if kind == "else if":
            return self._conditional(place)
        return self.falling[place + 1] if kind in ("else", "end") else 0

    def _conditional(self, place: int) -> int:
        """What is needed before a row that decides whether the row below it is next."""
        line = self._lines[place]
        inside = self.falling[place + 1]
        if line.kind == "for each":
            inside &= ~self._bit(line.name)
        return inside | self.jumping[self._flow.otherwise[place]] | self._uses[place]
