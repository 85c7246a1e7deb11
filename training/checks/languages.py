"""Which languages rows are in: by script where that tells, else by a statistical model."""

import functools
from collections import Counter
from collections.abc import Iterator, Sequence

import py3langid
from py3langid.langid import MODEL_FILE

from training.codes import Problem
from training.sheet import Row

UNKNOWN = "und"
SAMPLE_ROWS = 500
LEAST_LETTERS = 20
# A row in another language is worth a look where nearly all are in one, and it is long enough.
MAIN_SHARE = 0.95
LEAST_LETTERS_TO_NAME = 40


def language_of(text: str) -> str:
    """The ISO 639-1 code of a text's language, or `und` where it is too short to tell."""
    text = text[:2000]
    letters = [character for character in text if character.isalpha()]
    scripts = Counter(_script(character) for character in letters)
    if scripts["kana"]:
        return "ja"
    if scripts["hangul"] > len(letters) // 2:
        return "ko"
    if scripts["han"] * 3 > len(letters):
        return "zh"
    if len(letters) < LEAST_LETTERS:
        return UNKNOWN
    return str(_identifier().classify(text)[0])


@functools.cache
def _identifier() -> py3langid.langid.LanguageIdentifier:
    return py3langid.langid.LanguageIdentifier.from_model_file(MODEL_FILE)


def _script(character: str) -> str:
    code = ord(character)
    if 0x3040 <= code <= 0x30FF:
        return "kana"
    if 0xAC00 <= code <= 0xD7A3:
        return "hangul"
    return "han" if 0x3400 <= code <= 0x9FFF else "other"


def count_languages(rows: Sequence[Row]) -> tuple[dict[str, int], list[Problem]]:
    """Count languages over a sample of rows, and name rows that differ from nearly all.

    Returns:
        Rows by language, most frequent first, and what is worth a look.
    """
    step = max(1, len(rows) // SAMPLE_ROWS)
    found = [(row, language_of(row.prompt or row.output)) for row in rows[::step]]
    counts = Counter(language for _, language in found)
    return dict(counts.most_common()), list(_others(found, counts))


def _others(found: Sequence[tuple[Row, str]], counts: Counter[str]) -> Iterator[Problem]:
    told = sum(counts.values()) - counts[UNKNOWN]
    main, rows = next(
        ((name, rows) for name, rows in counts.most_common() if name != UNKNOWN), (UNKNOWN, 0)
    )
    if rows < MAIN_SHARE * told:
        return
    for row, language in found:
        letters = sum(character.isalpha() for character in row.prompt or row.output)
        if language not in (main, UNKNOWN) and letters >= LEAST_LETTERS_TO_NAME:
            message = f"this is {language}, while nearly all rows are {main}"
            yield Problem(row.line, "other_language", message)
