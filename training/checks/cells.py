"""What makes the text of a prompt or an output unusable, or worth a look."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ftfy.badness import is_bad

# Nobody means more than this as one example, whatever the tokenizer.
MAX_CELL_CHARACTERS = 1 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\ufdd0-\ufdef\ufffe\uffff]")
_UNDECODED = re.compile(r"[\ufffd\ud800-\udfff\x80-\x84\x86-\x9f]")
_INVISIBLE = re.compile(r"[\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\u00ad]")
_MARKUP = re.compile(
    r"</?(?:a|b|i|p|u|br|div|span|font|img|ul|ol|li|table|tr|td|th|h[1-6]|em|strong|html|body|"
    r"script|style|sub|sup|pre|code)(?:\s+[\w-]+=[^<>]*)?\s*/?>|&(?:nbsp|amp|lt|gt|quot|#\d{2,5});",
    re.IGNORECASE,
)
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]{3,}")
_ALL_HAN = re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]+")
_NULL = frozenset(
    {"nan", "null", "<na>", "#n/a", "#ref!", "#value!", "#div/0!", "#name?", "#null!"}
)
_NULL_LIKE = frozenset({"none", "n/a", "na", "nil", "undefined", "-", "--", "?", "无", "空"})
# What the replacement character becomes when its bytes are read as GBK.
_REPLACED_AS_GBK = "\u951f\u65a4\u62f7"
LEAST_REPEATED = 20


class Fault(NamedTuple):
    """What is wrong: a key of `training.codes.CODES` and a sentence."""

    code: str
    message: str


def is_blank(text: str) -> bool:
    """Whether there is nothing to be seen."""
    return not _INVISIBLE.sub("", text).replace("\ufeff", "").strip()


def is_null(text: str) -> bool:
    """Whether a text is what programs write for nothing."""
    return text.strip().casefold() in _NULL


def cell_faults(column: str, text: str) -> Iterator[Fault]:
    """Find what makes a text unusable.

    Args:
        column: What it is, prompt or output.
        text: It.
    """
    if is_blank(text):
        yield Fault(f"empty_{column}", f"the {column} is empty; fill it in or remove the row")
        return
    if is_null(text):
        message = f"the {column} is {text.strip()!r}, which stands for nothing; fill it in"
        yield Fault("null_value", message)
    if found := _CONTROL.search(text):
        message = f"the {column} holds {found[0]!a} {_place(text, found.start())}; remove it"
        yield Fault("control_character", message)
    if (broken := _broken(text)) is not None:
        yield Fault("broken_encoding", f"the {column} holds {broken}")
    if len(text) > MAX_CELL_CHARACTERS:
        message = f"the {column} has {len(text):,} characters, expected at most 1,048,576"
        yield Fault("too_long", message)


def _broken(text: str) -> str | None:
    """What shows that a text was decoded in the wrong way, or could not be."""
    if found := _UNDECODED.search(text):
        byte = ord(found[0]) - 0xDC00
        what = f"byte 0x{byte:02x}" if 0x80 <= byte <= 0xFF else ascii(found[0])
        place = _place(text, found.start())
        return f"{what} {place}, which is neither UTF-8 nor GB18030; export it again as UTF-8"
    if text.isascii():
        return None
    if _REPLACED_AS_GBK in text or is_bad(text[:MAX_CELL_CHARACTERS]) or _is_utf8_read_as_gbk(text):
        return f"text decoded in the wrong way ({_sample(text)!r}); export it again as UTF-8"
    return None


def _is_utf8_read_as_gbk(text: str) -> bool:
    """Whether runs of rare characters are UTF-8 bytes in disguise."""
    for found in _BEYOND_ASCII.finditer(text[:10_000]):
        try:
            inside = found[0].encode("gb18030").decode("utf-8")
        except UnicodeError:
            continue
        if len(inside) < len(found[0]) and _ALL_HAN.fullmatch(inside):
            return True
    return False


def _sample(text: str) -> str:
    found = _BEYOND_ASCII.search(text) or re.search(r"[^\x00-\x7f]+", text)
    return found[0][:20] if found else text[:20]


def _place(text: str, position: int) -> str:
    newlines = text.count("\n", 0, position)
    return f"in its line {newlines + 1}" if newlines else f"at character {position + 1}"


def pair_fault(prompt: str, output: str) -> Fault | None:
    """Find what makes a prompt and an output useless together."""
    if prompt and prompt == output.strip():
        return Fault("output_is_prompt", "prompt and output are the same; write the answer")
    return None


def remarks(prompt: str, output: str) -> Iterator[Fault]:
    """Find what is worth a look in a row that can be used."""
    for column, text in (("prompt", prompt), ("output", output)):
        if text.strip().casefold() in _NULL_LIKE:
            yield Fault("null_like", f"the {column} is only {text.strip()!r}; is that meant?")
        if found := _INVISIBLE.search(text):
            yield Fault("invisible_character", f"the {column} holds {found[0]!a}; remove it")
        if found := _MARKUP.search(text):
            yield Fault("html", f"the {column} holds {found[0][:40]!r}; strip markup unless meant")
    if output != output.strip():
        yield Fault("outer_space", "the output begins or ends with spaces, which are trained; trim")
    if prompt and len(output) > len(prompt) >= LEAST_REPEATED and output.startswith(prompt):
        yield Fault("prompt_in_output", "the output repeats the prompt first; remove it there")
    elif len(output.strip()) >= LEAST_REPEATED and output.strip() in prompt:
        yield Fault("output_in_prompt", "the output stands in the prompt word for word")
