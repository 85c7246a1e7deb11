"""From checked lineages to the stages and proposals that prompts and answers are worded from."""

import ast
import inspect
import textwrap

from pseudocode.evolution.wording import Proposal, Stage
from training.lineage.graph import Chain
from training.lineage.measuring import program_of
from training.lineage.programs.families import Program
from training.lineage.schema import Edge, Node, shown_year


def stages(chain: Chain) -> list[Stage]:
    """Every algorithm of a chain with how it came about."""
    edges: list[Edge | None] = [None, *chain.edges]
    return [stage(node, edge) for node, edge in zip(chain.nodes, edges, strict=True)]


def stage(node: Node, edge: Edge | None = None) -> Stage:
    """One algorithm, with the edge that led to it if there is one."""
    return Stage(
        name=node.title,
        ideas=tuple(node.ideas),
        pseudocode=node.pseudocode,
        weaknesses=tuple(node.bottlenecks),
        year=shown_year(node.year),
        answers=edge.weakness if edge else None,
        change=edge.change if edge else None,
    )


def proposal(node: Node, edge: Edge, program: str | None = None) -> Proposal:
    """What a model should have answered: this node, reached by this edge."""
    return Proposal(
        name=node.title,
        answers=edge.weakness,
        ideas=tuple(node.ideas),
        pseudocode=program or node.pseudocode,
        reasons=f"{edge.motivation} {edge.change}",
    )


def source_of(node: Node) -> str:
    """The text of a node's program: no docstring, no annotations, one form of layout."""
    found, entry = program_of(node)
    return bare_source(*found.prelude, found.entries[entry])


def bare_source(*programs: Program) -> str:
    """Print functions without docstrings and annotations."""
    text = "\n".join(textwrap.dedent(inspect.getsource(program)) for program in programs)
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
        elif isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(_Plain().visit(tree))


class _Plain(ast.NodeTransformer):
    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Turn `x: T = v` into `x = v`."""
        if node.value is None:
            return node
        assign = ast.Assign(targets=[node.target], value=node.value)
        return ast.copy_location(ast.fix_missing_locations(assign), node)
