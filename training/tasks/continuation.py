"""Openings of stories and how they go on, cut at the end of a sentence, dialogue kept whole."""

import re

from training.checks.cells import Fault
from training.tasks.task import Task

_SENTENCE_END = re.compile(r"[.!?。！？…⋯‥~～—-][\"'”’»）)」』】*_\s]*$")
# A foreign name or a poem within a text is no other language.
_MOST = 0.9
_LEAST_LETTERS = 20
_PAIRS = {"“": "”", "「": "」", "『": "』", "«": "»", "《": "》"}


def check_passage(prompt: str, text: str, gold: str | None) -> list[Fault]:  # noqa: ARG001 - a Check
    """Check that a passage ends with a sentence, closes quotations and keeps to its language."""
    faults = []
    if not ends_a_sentence(text):
        message = f"the output ends in {text.rstrip()[-20:]!r}, inside a sentence; cut at its end"
        faults.append(Fault("sentence_cut", message))
    if (found := unbalanced_quote(text)) is not None:
        message = f"{found} has no partner; keep dialogue whole"
        faults.append(Fault("quote_unbalanced", message))
    opening, output = _chinese_share(prompt), _chinese_share(text)
    if opening is not None and output is not None and (opening > _MOST) != (output > _MOST):
        message = "the opening and the output are in two languages; pair texts of one language"
        faults.append(Fault("language_switch", message))
    return faults


def _chinese_share(text: str) -> float | None:
    """Which part of the letters is Chinese, if that is all or nothing of a text long enough."""
    letters = [character for character in text if character.isalpha()]
    share = sum("\u3400" <= character <= "\u9fff" for character in letters) / (len(letters) or 1)
    clear = share > _MOST or share < 1 - _MOST
    return share if clear and len(letters) >= _LEAST_LETTERS else None


def ends_a_sentence(text: str) -> bool:
    """Whether a text ends where a sentence does."""
    return _SENTENCE_END.search(text) is not None


def unbalanced_quote(text: str) -> str | None:
    """The first kind of quotation mark that is opened and not closed, or closed and not opened.

    A quotation may go on in the next paragraph, which then opens it once more, as novels do.
    """
    # A speech over several paragraphs opens each and closes once.
    for start, end in _PAIRS.items():
        depth = 0
        for paragraph in re.split(r"\n+", text):
            if depth == 1 and paragraph.lstrip().startswith(start):
                depth = 0
            for mark in paragraph:
                depth += (mark == start) - (mark == end)
                if depth < 0:
                    return f"a closing {end}"
        if depth > 0:
            return f"an opening {start}"
    straight = [paragraph.count('"') % 2 for paragraph in re.split(r"\n+", text)]
    return 'a quotation mark "' if _leaves_open(straight, text) else None


def _leaves_open(odd: list[int], text: str) -> bool:
    """Whether straight marks remain open, paragraphs of one speech aside."""
    if not any(odd):
        return False
    paragraphs = [part.lstrip() for part in re.split(r"\n+", text)]
    for at, is_odd in enumerate(odd):
        goes_on = at + 1 < len(paragraphs) and paragraphs[at + 1].startswith('"')
        if is_odd and not goes_on:
            return True
    return False


TASK = Task(
    prompt="{prompt}\n",
    demands="end where a sentence does, with every quotation closed",
    metrics=("similarity", "exact"),
    probes=("The door opened, and", "夜色渐深，他推开门，"),
    check=check_passage,
    max_answer_tokens=512,
)
