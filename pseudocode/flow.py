"""Where each row of a block leads, worked out from the rows in order and without recursion."""

from collections.abc import Sequence
from typing import NamedTuple

from pseudocode.program import Line

LOOPS = frozenset({"repeat", "while", "for each"})


class Flow(NamedTuple):
    """Places of rows, by the place of the row that leads there; other rows lead to the next.

    Attributes:
        otherwise: From a row with a condition to the next row of its block's frame: `else if`,
            `else` or `end`.
        end: From each row of a frame to its `end`.
        begin: From the `end` of a loop to its first row.
        depth: How many blocks each row is in; the rows of a frame are outside of their block.
    """

    otherwise: dict[int, int]
    end: dict[int, int]
    begin: dict[int, int]
    depth: list[int]


def flow_of(lines: Sequence[Line]) -> Flow:
    """Find where the rows of the blocks lead."""
    flow = Flow({}, {}, {}, [])
    open_frames: list[list[int]] = []
    for place, line in enumerate(lines):
        if line.kind == "if" or line.kind in LOOPS:
            flow.depth.append(len(open_frames))
            open_frames.append([place])
            continue
        if line.kind not in ("else if", "else", "end"):
            flow.depth.append(len(open_frames))
            continue
        frame = open_frames[-1]
        flow.depth.append(len(open_frames) - 1)
        flow.otherwise[frame[-1]] = place
        frame.append(place)
        if line.kind == "end":
            open_frames.pop()
            flow.end.update(dict.fromkeys(frame, place))
            if lines[frame[0]].kind in LOOPS:
                flow.begin[place] = frame[0]
    return flow
