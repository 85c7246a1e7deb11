"""Count what the programs of a lineage do, fit how it grows, and hold claims against it."""

import math
import random
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from training.lineage.errors import LineageError
from training.lineage.programs.families import Family, family
from training.lineage.programs.operations import Operations
from training.lineage.schema import Edge, Lineage, Node


class Curve(NamedTuple):
    """Mean operations of one node over sizes of one kind of inputs.

    Attributes:
        order: Slope of a straight line through the logarithms; 1 is linear, 2 quadratic.
    """

    node: str
    inputs: str
    sizes: tuple[int, ...]
    operations: tuple[float, ...]
    order: float


class Improvement(NamedTuple):
    """An edge's claim, measured: operations of both at the largest size that both were run at."""

    parent: str
    child: str
    inputs: str
    size: int
    parent_operations: float
    child_operations: float

    @property
    def holds(self) -> bool:
        """Whether the newer program does fewer operations."""
        return self.child_operations < self.parent_operations


class Measured(NamedTuple):
    """All that was measured of one lineage."""

    lineage: str
    counted: str
    curves: list[Curve]
    improvements: list[Improvement]


def is_executable(lineage: Lineage) -> bool:
    """Whether every node has a program."""
    return all(node.program is not None for node in lineage.nodes)


def measure(lineage: Lineage) -> Measured:
    """Measure every edge that makes a claim.

    Raises:
        LineageError: A program or kind of inputs does not exist, or a program is wrong.
    """
    curves: dict[tuple[str, str], Curve] = {}
    improvements = []
    counted = ""
    for edge in lineage.edges:
        if edge.measured_on is None:
            continue
        pair = lineage.node(edge.parent), lineage.node(edge.child)
        for node in pair:
            key = node.id, edge.measured_on
            if key not in curves:
                curves[key] = curve(node, edge.measured_on)
            counted = program_of(node)[0].counted
        old, new = (curves[node.id, edge.measured_on] for node in pair)
        improvements.append(_improvement(edge, old, new, pair))
    return Measured(lineage.id, counted, list(curves.values()), improvements)


def program_of(node: Node) -> tuple[Family, str]:
    """The family of a node and its entry there.

    Raises:
        LineageError: It has no program, or names one that is not there.
    """
    link = node.program
    if link is None:
        raise LineageError(f"{node.id} has no program; expected family and entry. Add them")
    found = family(link.family)
    if link.entry not in found.entries:
        raise LineageError(
            f"{node.id}: family {link.family} has no entry {link.entry!r}; expected one of "
            f"{', '.join(found.entries)}"
        )
    return found, link.entry


def curve(node: Node, inputs: str) -> Curve:
    """Count the operations of a node at every size of its family.

    Raises:
        LineageError: The family has no such inputs, or the program is wrong on them.
    """
    found, entry = program_of(node)
    sizes = found.sizes_of.get(entry, found.sizes)
    operations = tuple(count(found, entry, inputs, size) for size in sizes)
    return Curve(node.id, inputs, sizes, operations, fitted_order(sizes, operations))


def cost_of(found: Family, entry: str, inputs: str, size: int) -> str:
    """What a program costs, in the words in which a model is told it."""
    mean = count(found, entry, inputs, size)
    return f"{mean:.0f} {found.counted} at size {size} on inputs '{inputs}'"


def count(found: Family, entry: str, inputs: str, size: int) -> float:
    """Mean operations over some inputs of one size.

    Raises:
        LineageError: The family has no such inputs, or the program is wrong on them.
    """
    totals = []
    for arguments in drawn(found, inputs, size, found.draws):
        operations = Operations()
        result = found.entries[entry](*arguments, operations)
        if inputs not in found.measured_only and not found.accepts(arguments, result):
            raise LineageError(
                f"{entry} gives a wrong result on {inputs!r} of size {size}; expected what its "
                "family accepts. Mend the program"
            )
        totals.append(operations.total)
    return statistics.fmean(totals)


def drawn(found: Family, inputs: str, size: int, draws: int) -> list[list[JsonValue]]:
    """The same inputs at every call.

    Raises:
        LineageError: The family has no such inputs.
    """
    if inputs not in found.inputs:
        raise LineageError(
            f"there are no inputs {inputs!r}; expected one of {', '.join(found.inputs)}"
        )
    make = found.inputs[inputs]
    return [make(size, random.Random(f"{size} {draw}")) for draw in range(draws)]  # noqa: S311 - inputs, not secrets


def fitted_order(sizes: Sequence[int], operations: Sequence[float]) -> float:
    """The slope of the least-squares line through (log size, log operations)."""
    points = [
        (math.log(size), math.log(total))
        for size, total in zip(sizes, operations, strict=True)
        if total > 0
    ]
    if len(points) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def _improvement(edge: Edge, old: Curve, new: Curve, pair: tuple[Node, Node]) -> Improvement:
    """Compare at the largest size that both were counted at, or at the older one's largest."""
    both = set(old.sizes) & set(new.sizes)
    size = max(both) if both else max(old.sizes)
    totals = []
    for curve_, node in zip((old, new), pair, strict=True):
        if size in curve_.sizes:
            totals.append(curve_.operations[curve_.sizes.index(size)])
        else:
            totals.append(count(*program_of(node), old.inputs, size))
    return Improvement(edge.parent, edge.child, old.inputs, size, totals[0], totals[1])


def plot(measured: Measured, path: Path) -> None:
    """Draw all curves on logarithmic axes into a .png or .svg file.

    Raises:
        LineageError: The file has another suffix or cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, only pictures need it

    if path.suffix not in {".png", ".svg"}:
        raise LineageError(f"cannot draw {path}: expected a name that ends in .png or .svg")
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for drawn_curve in measured.curves:
        label = f"{drawn_curve.node}, {drawn_curve.inputs} (n^{drawn_curve.order:.2f})"
        axes.loglog(drawn_curve.sizes, drawn_curve.operations, marker="o", label=label)
    axes.set_xlabel("size of the input")
    axes.set_ylabel(measured.counted)
    axes.set_title(measured.lineage)
    axes.legend(fontsize=8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except OSError as error:
        raise LineageError(
            f"cannot write {path}: {error.strerror}. Choose another folder"
        ) from error
