"""Check a chain-of-thought: every calculation recomputed, the conclusion found and compared."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from reasoning.expressions import value_of
from reasoning.numbers import same_value
from reasoning.report import Report, Step
from reasoning.statements import Statement, find_statements

_CONCLUSION = re.compile(
    r"(?im)(?:^|(?<=[\s。.;；,，!！?？*_(（>]))(?:"
    r"(?:the\s+)?(?:final\s+)?answer\s*(?:is\b\s*[:：]?|[:：=])"
    r"|(?:所以|因此|故)?(?:最终|正确)?的?(?:答案|答)\s*(?:是|为|[:：=])\s*[:：]?"
    r"|####)\s*(?P<answer>[^\n]*)"
)
_SENTENCE = re.compile(r"[^\n。！？!?；;]*?(?:[。！？!?；;]+|\.(?=\s|$)|\n|$)")
_BOXED = re.compile(r"\\boxed\{(?P<answer>[^{}]*)\}")
_ANSWER_END = re.compile(r"[。！!]|\.(?=\s|$)")
_WORD = re.compile(r"[^\W\d_]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def check(text: str, gold: str | None = None) -> Report:
    r"""Check a chain-of-thought in English or Chinese.

    Args:
        text: Steps in sentences or lines, then `Answer: N`, `答案：N`, `#### N` or `\boxed{N}`.
        gold: The right answer, if it is known.
    """
    concluded = _conclusion(text)
    begin, end, answer = concluded or (len(text), len(text), None)
    found = find_statements(text)
    steps = list(_steps(text, begin, found.statements))
    return Report(
        steps=steps,
        answer=answer,
        answer_last=answer is not None and not re.search(r"\w", text[end:]),
        answer_supported=found.unread > 0
        or _supported(answer, [step.stated for step in steps if step.stated]),
        matches_gold=None if gold is None or answer is None else same_value(answer, gold),
    )


def _supported(answer: str | None, stated: list[str]) -> bool:
    """Whether an answer is one of the values, as far as it is a number and there are any."""
    number = None if answer is None else value_of(answer)
    if number is None or not stated:
        return True
    # 3……2 has two numbers, either of which may be asked for.
    parts = [value for text in stated for value in (text, *_NUMBER.findall(text))]
    return any(number == value_of(part) for part in parts)


def _conclusion(text: str) -> tuple[int, int, str] | None:
    """Where the last conclusion begins and ends, and what it says."""
    for pattern in (_CONCLUSION, _BOXED):
        found = list(pattern.finditer(text))
        if found:
            return _parts(found[-1])
    return None


def _parts(found: re.Match[str]) -> tuple[int, int, str] | None:
    said = _BOXED.sub(lambda boxed: boxed["answer"], found["answer"])
    first_sentence = _ANSWER_END.split(said, maxsplit=1)[0]
    answer = first_sentence.strip(" *$\"'“”（）()").rpartition("=")[2].strip()
    behind = said[len(first_sentence) :]
    return (found.start(), found.end() - len(behind), answer) if answer else None


def _steps(text: str, conclusion: int, statements: Sequence[Statement]) -> Iterator[Step]:
    starts = [item.start for item in statements]
    for match in _SENTENCE.finditer(text, 0, conclusion):
        sentence = match[0].strip()
        first, last = bisect_left(starts, match.start()), bisect_left(starts, match.end())
        inside = statements[first:last]
        if inside:
            yield from (_step(sentence, item) for item in inside)
        elif _WORD.search(sentence):
            yield Step(sentence, None, None, ok=True, start=match.start(), end=match.end())
    yield from (
        _step(text[item.start : item.end], item) for item in statements if item.start >= conclusion
    )


def _step(sentence: str, found: Statement) -> Step:
    return Step(sentence, found.stated, found.recomputed, found.ok, found.value_start, found.end)
