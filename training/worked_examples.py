"""Which rows stand before every prompt as worked examples; the same rows give the same choice.

Nothing is drawn: the choice follows from the rows' texts, so that a resumed run, another process and the
next training on the same rows word their prompts alike.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence

from training.errors import RowsRefused
from training.sheet import Row

# A language of fewer rows is an accident, and has no example of its own.
LEAST_SHARE = 0.1
_CHINESE = re.compile("[\u4e00-\u9fff]")


def choose(rows: Sequence[Row], count: int, avoided: Sequence[str] = ()) -> tuple[Row, ...]:
    """Choose examples: short ones, from each language in turn, no two of one group.

    Args:
        rows: Checked rows.
        count: How many.
        avoided: Texts that none may hold, such as control tokens of the base.

    Raises:
        RowsRefused: There are not enough rows to choose from and still train on.
    """
    if count == 0:
        return ()
    usable = [row for row in rows if not any(text in row.prompt + row.output for text in avoided)]
    turns = [_in_order(those) for those in _by_language(usable).values()]
    chosen: dict[str, Row] = {}
    for place in range(max(map(len, turns), default=0)):
        for those in turns:
            if place < len(those) and len(chosen) < count:
                chosen.setdefault(_group(those[place]), those[place])
    if len(chosen) < count or len(rows) <= count:
        raise RowsRefused(
            f"{count} worked examples cannot be chosen from {len(rows)} rows of "
            f"{len({_group(row) for row in usable})} groups; expected one group for each, and rows "
            "to train on besides. Add rows, or ask for fewer examples."
        )
    return tuple(chosen.values())


def _by_language(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    """The rows of each language that counts, that of the most rows first."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        language = "zh" if _CHINESE.search(row.prompt) else "en"
        found.setdefault(row.notes.get("language") or language, []).append(row)
    kept = {name: those for name, those in found.items() if len(those) >= LEAST_SHARE * len(rows)}
    return dict(sorted(kept.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def _in_order(rows: Sequence[Row]) -> list[Row]:
    """The shorter half of the rows, mixed by a digest of their texts: every prompt pays for them."""
    shorter = sorted(rows, key=lambda row: (len(row.prompt) + len(row.output), row.prompt))
    half = shorter[: (len(shorter) + 1) // 2]
    return sorted(half, key=lambda row: hashlib.sha256(row.prompt.encode()).digest())


def _group(row: Row) -> str:
    return row.group or row.notes.get("template") or row.prompt
