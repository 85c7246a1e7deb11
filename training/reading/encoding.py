"""From bytes to text: which encoding a file has, and what of it cannot be decoded.

Bytes that fit no encoding stay in the text as lone surrogates (PEP 383), so that the row that
holds them can be named and the others be used.
"""

import re
from typing import NamedTuple

from training.codes import Problem

# Shares above which bytes are no text, however much may be wrong with an encoding.
MOST_CONTROL = 0.2
MOST_CONTROL_UNDECODED = 0.05
MOST_UNDECODED = 0.2
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
_ARCHIVES = {
    b"PK\x03\x04": "a ZIP archive, such as an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"PAR1": "a Parquet file",
    b"SQLite": "a database",
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNDECODED = re.compile(r"[\udc80-\udcff]")


class Decoded(NamedTuple):
    """A file as text.

    Attributes:
        text: Its content, empty where it is no text.
        encoding: What it was read as.
        problems: What is to be said about the file as a whole.
    """

    text: str
    encoding: str
    problems: list[Problem]


def decode(raw: bytes) -> Decoded:
    """Find the encoding of a file and decode it.

    UTF-8 with or without byte order mark is the rule; UTF-16, UTF-32 and GB18030 (with its subset
    GBK) are recognised and said.
    """
    for start, kind in _ARCHIVES.items():
        if raw.startswith(start):
            return _no_text(f"this is {kind}")
    encoding = _encoding(raw)
    # The wide encodings have no room for bytes that fit nothing.
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    text = raw.decode(encoding, errors).removeprefix("\ufeff")
    control = len(_CONTROL.findall(text)) / max(1, len(text))
    undecoded = len(_UNDECODED.findall(text)) / max(1, len(text))
    if control > MOST_CONTROL or (control > MOST_CONTROL_UNDECODED and undecoded > MOST_UNDECODED):
        return _no_text(f"{control + undecoded:.0%} of it are control characters or no characters")
    problems = []
    if encoding != "utf-8":
        name = "GB18030 (GBK)" if encoding == "gb18030" else encoding.upper()
        problems.append(
            Problem(
                1,
                "not_utf8",
                f"the file is {name}, not UTF-8, and was read as such; "
                f"`iconv -f {encoding.upper()} -t UTF-8` converts it",
            )
        )
    return Decoded(text, encoding, problems)


def _no_text(reason: str) -> Decoded:
    message = f"{reason}, expected text; export it as CSV or JSON lines in UTF-8"
    return Decoded("", "binary", [Problem(1, "not_text_file", message)])


def _encoding(raw: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if raw.startswith(mark):
            return encoding
    # UTF-16 without a mark: half of the bytes of ASCII text are zero.
    if len(raw) >= 8 and raw.count(0) > len(raw) // 3:
        return "utf-16-le" if raw[1::2].count(0) > raw[::2].count(0) else "utf-16-be"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030" if _is_gb18030(raw) else "utf-8"
    return "utf-8"


def _is_gb18030(raw: bytes) -> bool:
    """Whether more lines are plausible Chinese in GB18030 than are UTF-8."""
    beyond_ascii = [line for line in re.split(rb"[\r\n]", raw) if not line.isascii()]
    chinese = sum(_is_chinese(line) for line in beyond_ascii)
    return chinese > sum(_is_utf8(line) for line in beyond_ascii)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_chinese(line: bytes) -> bool:
    """Whether a line decodes, and mostly to what GB2312 holds: common characters, punctuation.

    Western text decodes too now and then, but to rare characters.
    """
    try:
        found = [character for character in line.decode("gb18030") if character > "\x7f"]
    except UnicodeDecodeError:
        return False
    common = sum(_in_gb2312(character) for character in found)
    return not _is_utf8(line) and common >= 0.8 * len(found)


def _in_gb2312(character: str) -> bool:
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
