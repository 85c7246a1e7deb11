"""A sheet for experts: proposals without their authors, in two orders, to be rated in a browser.

One HTML file that works without a network; ratings leave it as CSV, and the key of who wrote what is
a file of its own.
"""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2

from training.lineage.errors import LineageError
from training.lineage.evaluation.agreement import COLUMNS, HIGHEST, LOWEST, QUESTIONS

TEMPLATE = Path(__file__).with_name("sheet.jinja")


class Item(NamedTuple):
    """One proposal as a rater sees it, and the system that only the key names."""

    id: str
    chain: str
    text: str
    system: str


class Sheet(NamedTuple):
    """Two HTML documents with the same items in two orders, and the key."""

    first: str
    second: str
    key: dict[str, str]


def items_of(answers: Mapping[str, Mapping[str, str]], seed: int) -> list[Item]:
    """Number proposals so that neither number nor place tells the system.

    Args:
        answers: System to chain to what it proposed.
        seed: Of the order.
    """
    flat = [
        (chain, text, system)
        for system, by_chain in sorted(answers.items())
        for chain, text in sorted(by_chain.items())
    ]
    random.Random(seed).shuffle(flat)  # noqa: S311 - an order, not a secret
    return [
        Item(f"P{number:03}", chain, text, system)
        for number, (chain, text, system) in enumerate(flat, 1)
    ]


def sheet(items: Sequence[Item], title: str) -> Sheet:
    """Write both orders; in the second every rater sees the items backwards.

    Raises:
        LineageError: There is nothing to rate.
    """
    if not items:
        raise LineageError("there is no proposal to rate; expected at least one. Roll out first")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))

    def rendered(order: Sequence[Item], name: str) -> str:
        return template.render(
            title=title,
            order=name,
            items=[(item.id, item.chain, item.text) for item in order],
            questions=QUESTIONS,
            columns=COLUMNS,
            scale=range(LOWEST, HIGHEST + 1),
        )

    key = {item.id: item.system for item in items}
    return Sheet(rendered(items, "A"), rendered(items[::-1], "B"), key)


def read_answers(paths: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    """Read what systems proposed from the results of roll-outs.

    Args:
        paths: System to the JSON file that `evaluate --out` wrote.

    Raises:
        LineageError: A file has no roll-outs.
    """
    answers: dict[str, dict[str, str]] = {}
    for system, path in paths.items():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))["rollout"]["roll_outs"]
            answers[system] = {
                " -> ".join(one["chain"]): step["answer"]
                for one in found
                for step in one["steps"][:1]
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LineageError(
                f"{path} holds no roll-outs ({error!r}); expected what `evaluate --what rollout "
                "--out FILE` writes. Run that first"
            ) from error
    return answers
