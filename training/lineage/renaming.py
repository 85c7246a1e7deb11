"""Augmentation: the same algorithm under other names, so that names are not what is learnt."""

import ast
import random
import re
from collections.abc import Mapping, Sequence

from pseudocode.evolution.screening import ANNOTATIONS, BUILTINS
from pseudocode.evolution.wording import Proposal, Stage

_LETTERS = "abcdefghjkmnpqrstuvwxyz"


def anonymous(stages: Sequence[Stage], proposal: Proposal) -> tuple[list[Stage], Proposal]:
    """Call the algorithms of a chain Method A, B, and so on, everywhere."""
    names = {stage.name: f"Method {chr(65 + place)}" for place, stage in enumerate(stages)}
    names[proposal.name] = f"Method {chr(65 + len(stages))}"
    renamed = [
        stage._replace(
            name=names[stage.name],
            year=None,
            change=replaced(stage.change, names) if stage.change else None,
            answers=replaced(stage.answers, names) if stage.answers else None,
            weaknesses=tuple(replaced(text, names) for text in stage.weaknesses),
        )
        for stage in stages
    ]
    answer = proposal._replace(
        name=names[proposal.name],
        answers=replaced(proposal.answers, names),
        reasons=replaced(proposal.reasons, names),
    )
    return renamed, answer


def replaced(text: str, names: Mapping[str, str]) -> str:
    """Exchange names in a text, longest first."""
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", names[name], text)
    return text


def renamed_program(source: str, entry: str, seed: str) -> str:
    """Give every name of a program but `ops` and the builtins another; the entry becomes `solve`."""
    tree = ast.parse(source)
    rng = random.Random(seed)  # noqa: S311 - names, not secrets
    bound = [name for name in _bound(tree) if name not in {"ops", entry}]
    fresh = [f"{letter}{number or ''}" for number in range(4) for letter in _LETTERS]
    rng.shuffle(fresh)
    names = dict(zip(bound, fresh, strict=False)) | {entry: "solve"}
    return ast.unparse(_Rename(names).visit(tree))


def _bound(tree: ast.Module) -> list[str]:
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found[node.name] = None
        elif isinstance(node, ast.arg):
            found[node.arg] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
    return [name for name in found if name not in BUILTINS | ANNOTATIONS]


class _Rename(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Rename a use."""
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """Rename a parameter."""
        node.arg = self._names.get(node.arg, node.arg)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """Rename a function and what is in it."""
        node.name = self._names.get(node.name, node.name)
        self.generic_visit(node)
        return node
