"""Which questions are trained on and which are kept for evaluation.

Two rules, both computed and neither chosen by hand:

- A question is reserved for evaluation when the hash of the numbers written in it falls into the
  lowest fifth. It depends on the text alone, so no question can be on both sides for any seed.
- About a fifth of the templates are never trained on (`held_out`).
"""

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

from training.problems.templates import Template, list_name

Split = Literal["train", "seen", "unseen"]

SHARE_KEPT = 5
"""One question, and one template, in this many is kept for evaluation."""

MOST_OVERLAP = 0.6
"""A template that shares more than this of its vocabulary with another is no unseen text."""

_WRITTEN_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_WORD = re.compile(r"[a-z]+|[\u4e00-\u9fff]")


def is_reserved(question: str) -> bool:
    """Tell whether a question belongs to evaluation, by its numbers alone."""
    numbers = sorted(_WRITTEN_NUMBER.findall(question))
    return _hash(" ".join(numbers)) % SHARE_KEPT == 0


def held_out(templates: Sequence[Template]) -> frozenset[str]:
    """Return the ids of the templates that are never trained on.

    Within each family the templates are ordered by the hash of their id, and the first fifth
    (rounded, at least one in a family of three or more) of the eligible ones is held out. Eligible
    is a template whose number of operations is trained by another template of its family, and
    whose text is unlike every other template's.
    """
    families: dict[str, list[Template]] = defaultdict(list)
    for template in templates:
        families[template.family].append(template)
    vocabularies = {template.id: vocabulary(template) for template in templates}
    kept: set[str] = set()
    for members in families.values():
        members.sort(key=lambda template: _hash(template.id))
        wanted = max(1, round(len(members) / SHARE_KEPT)) if len(members) >= 3 else 0
        trained = [template.operations for template in members]
        for template in members:
            if wanted == 0:
                break
            if trained.count(template.operations) < 2 or _has_a_double(template.id, vocabularies):
                continue
            trained.remove(template.operations)
            kept.add(template.id)
            wanted -= 1
    return frozenset(kept)


def overlap(left: frozenset[str], right: frozenset[str]) -> float:
    """Return the share of two vocabularies that is common to both, from 0 to 1."""
    return len(left & right) / len(left | right)


def vocabulary(template: Template) -> frozenset[str]:
    """Return what a template is made of, slots by kind: words, or pairs of Chinese characters."""
    words = {
        "{number}" if slot.name in template.numbers else f"{{{list_name(slot.name)}}}"
        for slot in template.text.slots()
    }
    for text in template.text.literals():
        found: list[str] = _WORD.findall(text.lower())
        if any(word >= "\u4e00" for word in found):
            found = [left + right for left, right in itertools.pairwise(["", *found, ""])]
        words.update(found)
    return frozenset(words)


def _has_a_double(template_id: str, vocabularies: dict[str, frozenset[str]]) -> bool:
    own = vocabularies[template_id]
    return any(
        overlap(own, other) > MOST_OVERLAP
        for other_id, other in vocabularies.items()
        if other_id != template_id
    )


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
