"""Continuations side by side as one HTML file, which works without a network."""

import re
from collections.abc import Sequence
from pathlib import Path

import jinja2

from training.novels.evaluation.measuring import Example

TEMPLATE = Path(__file__).with_name("page.jinja")


def page(examples: Sequence[Example], sampling: str) -> str:
    """Show examples, with what each text shares with the training text marked.

    Args:
        examples: Openings and how each goes on.
        sampling: How models drew.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    shown = [
        {
            "opening": example.opening,
            "columns": [
                (name, marked(text, copied))
                for name, (text, copied) in example.continuations.items()
            ],
        }
        for example in examples
    ]
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(examples=shown, sampling=sampling)


def marked(text: str, copied: str) -> tuple[str, str, str]:
    """A text before, in and after a stretch of it, whatever white space the text has there."""
    pattern = r"\s+".join(map(re.escape, copied.split()))
    match = re.search(pattern, text) if pattern else None
    if match is None:
        return text, "", ""
    return text[: match.start()], match[0], text[match.end() :]
