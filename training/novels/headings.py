"""Where chapters begin in plain text: `第一回 …`, `CHAPTER I`, `Chapter 12. …`."""

import re
from collections.abc import Iterable, Sequence

from training.novels.books import Chapter

_NUMERAL = r"(?:[0-9]{1,4}|[IVXLCDM]{1,8}|one|two|three|four|five|six|seven|eight|nine|ten|[a-z]+teen|[a-z]+ty(?:-[a-z]+)?)"
_ENGLISH = re.compile(
    rf"^(?:chapter|book|part|letter|canto|volume|act|stave)\s+(?:the\s+)?{_NUMERAL}\b.{{0,80}}$",
    re.IGNORECASE,
)
_ENGLISH_ALONE = re.compile(r"^(?:prologue|epilogue|preface|introduction)\.?$", re.IGNORECASE)
_CHINESE = re.compile(
    r"^(?:第[0-9零〇一二三四五六七八九十百千两]{1,8}[回章节卷部集折篇](?:$|[\s　：:、.．].{0,60}$)"
    r"|[序楔]子?$|尾声$|引子$|后记$)"
)
_LONGEST_HEADING = 90


def is_heading(line: str) -> bool:
    """Whether a line alone begins a chapter."""
    line = line.strip()
    if not line or len(line) > _LONGEST_HEADING:
        return False
    return any(form.match(line) for form in (_CHINESE, _ENGLISH, _ENGLISH_ALONE))


def chapters_of(lines: Iterable[str]) -> tuple[Chapter, ...]:
    """Divide lines of plain text into chapters; what comes before the first heading is left out.

    Without any heading all of it is one chapter.
    """
    found: list[tuple[str, list[str]]] = []
    before: list[str] = []
    for line in lines:
        if is_heading(line):
            found.append((line.strip(), []))
        else:
            (found[-1][1] if found else before).append(line)
    if not found:
        found = [("", before)]
    return tuple(
        chapter for title, body in found if (chapter := Chapter(title, paragraphs(body))).paragraphs
    )


def paragraphs(lines: Sequence[str]) -> tuple[str, ...]:
    """Join lines into paragraphs.

    Text that is wrapped has blank lines between paragraphs and lines of about one width; elsewhere
    each line is a paragraph.
    """
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(" ".join(line.split()))
        elif blocks[-1]:
            blocks.append([])
    blocks = [block for block in blocks if block]
    if _is_wrapped(blocks):
        return tuple(" ".join(block) for block in blocks)
    return tuple(line for block in blocks for line in block)


def _is_wrapped(blocks: Sequence[Sequence[str]]) -> bool:
    """Most lines that are not the last of their block end in the middle of a sentence."""
    inner = [line for block in blocks for line in block[:-1]]
    if len(inner) < len(blocks):
        return False
    open_ended = sum(not re.search(r"[.!?…:;\"”’。！？；：]$", line) for line in inner)
    return open_ended > len(inner) / 2
