"""Checks on the graph of one lineage, and the chains through it."""

import graphlib
from typing import NamedTuple

from training.lineage.schema import Edge, Lineage, Node


class Finding(NamedTuple):
    """One mistake: the file, the node or edge where it is, a stable code, and a sentence."""

    file: str
    place: str
    code: str
    message: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.file}: {self.place}: {self.message} [{self.code}]"


class Chain(NamedTuple):
    """A path from a node that improves on nothing: each node with the edge that led to it."""

    lineage: Lineage
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def last(self) -> Node:
        """The newest algorithm."""
        return self.nodes[-1]


def check(file: str, lineage: Lineage) -> list[Finding]:
    """Find everything wrong with how the nodes of a lineage hang together."""
    findings = _doubles(file, lineage)
    known = {node.id: node for node in lineage.nodes}
    edges = []
    for edge in lineage.edges:
        place = _place(edge)
        unknown = [name for name in (edge.parent, edge.child) if name not in known]
        findings += [
            Finding(file, place, "unknown_node", f"no node {name!r}, only {', '.join(known)}")
            for name in unknown
        ]
        if not unknown:
            edges.append(edge)
            findings += _back_in_time(file, place, known[edge.parent], known[edge.child])
            findings += _unrunnable_claim(file, edge, known[edge.parent], known[edge.child])
    return findings + _cycle(file, edges) + _loose(file, list(known), edges)


def chains(lineage: Lineage) -> list[Chain]:
    """Every path that starts at a root and has at least one edge, shortest first."""
    by_parent: dict[str, list[Edge]] = {}
    for edge in lineage.edges:
        by_parent.setdefault(edge.parent, []).append(edge)
    children = {edge.child for edge in lineage.edges}
    roots = [node for node in lineage.nodes if node.id not in children]
    open_chains = [Chain(lineage, (root,), ()) for root in roots]
    found: list[Chain] = []
    while open_chains:
        longer = [
            Chain(lineage, (*chain.nodes, lineage.node(edge.child)), (*chain.edges, edge))
            for chain in open_chains
            for edge in by_parent.get(chain.last.id, [])
        ]
        found += longer
        open_chains = longer
    return found


def _doubles(file: str, lineage: Lineage) -> list[Finding]:
    ids = [node.id for node in lineage.nodes]
    pairs = [(edge.parent, edge.child) for edge in lineage.edges]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    found = [
        Finding(file, name, "double_node", "this id is used twice; rename one") for name in twice
    ]
    found += [
        Finding(file, f"{parent} -> {child}", "double_edge", "this edge is given twice; drop one")
        for parent, child in sorted({pair for pair in pairs if pairs.count(pair) > 1})
    ]
    return found


def _back_in_time(file: str, place: str, parent: Node, child: Node) -> list[Finding]:
    if child.year >= parent.year:
        return []
    message = (
        f"{child.id} ({child.year}) is older than {parent.id} ({parent.year}), which it improves; "
        "expected the same year or a later one. Correct a year or turn the edge round"
    )
    return [Finding(file, place, "back_in_time", message)]


def _unrunnable_claim(file: str, edge: Edge, parent: Node, child: Node) -> list[Finding]:
    if edge.measured_on is None or (parent.program and child.program):
        return []
    without = child.id if parent.program else parent.id
    message = f"measured_on={edge.measured_on!r}, but {without} has no program; add one"
    return [Finding(file, _place(edge), "claim_without_program", message)]


def _cycle(file: str, edges: list[Edge]) -> list[Finding]:
    sorter: graphlib.TopologicalSorter[str] = graphlib.TopologicalSorter()
    for edge in edges:
        sorter.add(edge.child, edge.parent)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        circle: list[str] = error.args[1]
        message = f"{' -> '.join(circle)} is a circle; an algorithm cannot improve on itself"
        return [Finding(file, circle[0], "cycle", message)]
    return []


def _loose(file: str, names: list[str], edges: list[Edge]) -> list[Finding]:
    """Find nodes that no path of edges, in either direction, connects with the first node."""
    reached, open_names = {names[0]}, [names[0]]
    while open_names:
        name = open_names.pop()
        for edge in edges:
            if name in (edge.parent, edge.child):
                found = {edge.parent, edge.child} - reached
                reached |= found
                open_names += found
    return [
        Finding(file, name, "not_connected", f"no edge leads to it from {names[0]}; add one")
        for name in names
        if name not in reached
    ]


def _place(edge: Edge) -> str:
    return f"{edge.parent} -> {edge.child}"
