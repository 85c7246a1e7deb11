"""An executed program → a chain of thought in English or Chinese whose every step was computed.

One program gives both texts, so a model can be taught the same reasoning in two languages.
"""

import re
from typing import Literal

import pseudocode
from pseudocode.numbers import format_number
from reasoning import check

Language = Literal["en", "zh"]

_NAME = re.compile(r"[^\W\d]\w*")
_CHINESE_SIGNS = str.maketrans({"*": "×", "/": "÷"})
_ORDINALS = ("首先", "然后", "接着", "再")


def verbalise(program: str, language: Language) -> str | None:
    """Write a straight program out in steps, with its answer last.

    Returns:
        The text, or None where the program does not run, a value has no finite decimals, or a step
        is no plain calculation: such a chain could not state what it computes.
    """
    result = pseudocode.run(program)
    if result.error is not None or result.answer is None:
        return None
    values: dict[str, str] = {}
    sentences: list[str] = []
    for step in result.trace:
        if "/" in step.value or "(" in step.value:
            return None
        if step.name == "return" and step.expression in values:
            continue
        expression = _NAME.sub(lambda found: values.get(found[0], found[0]), step.expression)
        if _NAME.search(expression):
            return None
        values[step.name] = step.value
        if not _is_literal(expression):
            sentences.append(_sentence(step.name, expression, step.value, language, len(sentences)))
    if not sentences:
        return None
    ending = f"Answer: {result.answer}" if language == "en" else f"答案：{result.answer}"
    text = "\n".join([*sentences, ending])
    report = check(text, result.answer)
    # Whole division, remainders and powers have no words of their own here.
    all_read = len(report.calculations) == len(sentences)
    return text if report.consistent and all_read else None


def _sentence(name: str, expression: str, value: str, language: Language, place: int) -> str:
    if language == "zh":
        written = expression.translate(_CHINESE_SIGNS)
        what = "" if name == "return" or name.isascii() or name.startswith("步骤") else f"，{name}"
        return f"{_ORDINALS[min(place, len(_ORDINALS) - 1)]}{what}：{written} = {value}。"
    telling = not (name == "return" or re.fullmatch(r"step\d+", name) or not name.isascii())
    what = name.replace("_", " ").rstrip("0123456789").strip() if telling else ""
    return f"{_first(what, place)}: {expression} = {value}."


def _first(what: str, place: int) -> str:
    return f"Step {place + 1}, {what}" if what else f"Step {place + 1}"


def _is_literal(expression: str) -> bool:
    value = pseudocode.run(f"return {expression}").value
    return value is not None and expression.strip() == format_number(value)
