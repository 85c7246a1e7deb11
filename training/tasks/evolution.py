"""From a chain of algorithms to the next: which weakness it answers, how, and why."""

import re

from training.checks.cells import Fault
from training.tasks.task import Task

# What an output consists of, in this order, and the headings that each section may carry.
SECTIONS = {
    "algorithm": ("algorithm", "next algorithm", "name", "算法", "下一个算法", "名称"),
    "ideas": ("ideas", "idea", "key ideas", "key idea", "核心思想", "思想", "关键思想", "思路"),
    "pseudocode": ("pseudocode", "pseudo-code", "pseudo code", "program", "伪代码", "程序"),
    "reasons": ("reasons", "reason", "motivation", "why", "理由", "原因", "动机"),
}
_QUESTION = re.compile(r"[?？][ \t]*$", re.MULTILINE)
_HEADING = re.compile(
    r"(?m)^[ \t]*(?:#{1,6}[ \t]*|\*\*|[-*][ \t]+)?(?:\[(?P<square>[^\]\n]+)\]|【(?P<lens>[^】\n]+)】"
    r"|(?P<bare>[^:：\n*]{1,30}))(?:\*\*)?[ \t]*(?P<colon>[:：]?)(?:\*\*)?"
)


def check_sections(prompt: str, text: str, gold: str | None) -> list[Fault]:  # noqa: ARG001 - a Check
    """Check that a proposal has every section, with text in it.

    Rows beside it, which ask a question about a chain, are answered without sections.
    """
    if _QUESTION.search(prompt):
        return []
    there = sections(text)
    faults = []
    for name, headings in SECTIONS.items():
        if name not in there:
            message = f"there is no section [{headings[0].capitalize()}] (or 【{_chinese(name)}】)"
            faults.append(Fault("section_missing", message))
        elif not there[name].strip():
            faults.append(Fault("section_empty", f"the section [{name}] has no text; fill it in"))
    return faults


def sections(text: str) -> dict[str, str]:
    """Split an output into its sections, headed `[Ideas]`, `## Ideas`, `Ideas:` or 【核心思想】."""
    names = {heading: name for name, headings in SECTIONS.items() for heading in headings}
    found: dict[str, str] = {}
    current = None
    position = 0
    for match in _HEADING.finditer(text):
        name = names.get(_title(match))
        if name is None:
            continue
        if current is not None:
            found[current] = text[position : match.start()]
        current, position = name, match.end()
    if current is not None:
        found[current] = text[position:]
    return found


def _title(match: re.Match[str]) -> str:
    """What a line may be the heading of; plain words need a colon or a `#`."""
    bracketed = match["square"] or match["lens"]
    if bracketed:
        return bracketed.strip().casefold()
    marked = match["colon"] or match[0].lstrip().startswith("#")
    return match["bare"].strip().casefold() if marked else ""


def _chinese(name: str) -> str:
    return next(heading for heading in SECTIONS[name] if heading > "\u3400")


TASK = Task(
    prompt="[Input]\n{prompt}\n[Output]\n",
    demands="have the sections [Algorithm] (or [Name]), [Ideas], [Pseudocode] (or [Program]) and "
    "[Reasons], also written `Ideas:`, `## Ideas`, 【核心思想】; not where a line of the prompt ends "
    "in a question mark",
    metrics=("similarity", "exact"),
    probes=("SGD -> SGD with momentum", "冒泡排序 -> 快速排序"),
    check=check_sections,
    max_answer_tokens=1024,
)
