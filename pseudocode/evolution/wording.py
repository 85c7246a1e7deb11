"""How a chain of algorithms is put to a model, and how its proposal is read back.

The prompt is what stands between `[Input]` and `[Output]`; those two words are the task's.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

PSEUDOCODE_OF_LAST = 2
"""Earlier algorithms of a chain are told by their ideas alone, so that prompts stay short."""

ASK_NEXT = "Propose the next algorithm."
ASK_PROGRAM = "Propose the next algorithm; its pseudocode is a program with the same parameters."
_HEADINGS = ("Algorithm", "Answers", "Ideas", "Pseudocode", "Reasons")
_HEADING = re.compile(rf"^({'|'.join(_HEADINGS)}):[ \t]*(.*)$", re.MULTILINE)
_FENCE = re.compile(r"^```\w*\s*$", re.MULTILINE)


class Stage(NamedTuple):
    """One algorithm of a chain.

    Attributes:
        name: What it is called.
        ideas: Its key ideas.
        pseudocode: Its text.
        weaknesses: What is weak about it.
        year: Of its publication, if known.
        answers: The weakness of the algorithm before it that it answers.
        change: What was changed to that end.
    """

    name: str
    ideas: Sequence[str]
    pseudocode: str
    weaknesses: Sequence[str]
    year: str | None = None
    answers: str | None = None
    change: str | None = None


class ProgramStage(NamedTuple):
    """The last algorithm of a chain as a program, with what it costs.

    Attributes:
        source: A function whose last parameter counts operations.
        cost: A sentence about what was measured.
    """

    source: str
    cost: str


class Proposal(NamedTuple):
    """A next algorithm; `pseudocode` is Python where a program was asked for."""

    name: str
    answers: str
    ideas: Sequence[str]
    pseudocode: str
    reasons: str


class UnreadableProposal(ValueError):  # noqa: N818 - the name says what happened
    """A text is no proposal; the message says which part is missing."""


def chain_prompt(
    purpose: str,
    stages: Sequence[Stage],
    *,
    weakness: str | None = None,
    related: Sequence[str] = (),
    program: ProgramStage | None = None,
) -> str:
    """Word a chain as a prompt that asks for the next algorithm.

    Args:
        purpose: What all of them are for.
        stages: Oldest first, at least one.
        weakness: The one to answer; left open if `None`.
        related: Neighbours from elsewhere, one line each.
        program: The last stage as a program, if the next one shall be a program too.
    """
    lines = [f"Purpose: {purpose}"]
    for number, stage in enumerate(stages, 1):
        lines.append(_headline(number, stage))
        if program is None and number > len(stages) - PSEUDOCODE_OF_LAST:
            lines += ["Pseudocode:", stage.pseudocode]
    if program is not None:
        lines += ["Program:", program.source, f"Cost: {program.cost}"]
    lines.append(f"Weaknesses of {len(stages)}: {_joined(stages[-1].weaknesses)}")
    lines += [f"Related: {line}" for line in related]
    if weakness is not None:
        lines.append(f"Answer this weakness: {weakness}")
    lines.append(ASK_NEXT if program is None else ASK_PROGRAM)
    return "\n".join(lines)


def proposal_text(proposal: Proposal) -> str:
    """Word a proposal as a model is to write it; what it answers may be left out."""
    answers = [f"Answers: {proposal.answers}"] if proposal.answers else []
    return "\n".join(
        [
            f"Algorithm: {proposal.name}",
            *answers,
            f"Ideas: {_joined(proposal.ideas)}",
            "Pseudocode:",
            proposal.pseudocode,
            f"Reasons: {proposal.reasons}",
        ]
    )


def read_proposal(text: str) -> Proposal:
    """Read what a model wrote.

    Raises:
        UnreadableProposal: Its name or its pseudocode is missing.
    """
    bare = _FENCE.sub("", text)
    found = list(_HEADING.finditer(bare))
    parts: dict[str, str] = {}
    for match, following in zip(found, [*found[1:], None], strict=False):
        end = following.start() if following else len(bare)
        parts.setdefault(match[1], (match[2] + bare[match.end() : end]).strip("\n").rstrip())
    missing = [name for name in ("Algorithm", "Pseudocode") if not parts.get(name)]
    if missing:
        raise UnreadableProposal(
            f"the answer has no {' and no '.join(missing)}; expected lines that begin with "
            f"{', '.join(f'{name}:' for name in _HEADINGS)}"
        )
    return Proposal(
        name=parts["Algorithm"],
        answers=parts.get("Answers", ""),
        ideas=tuple(idea.strip(" .") for idea in parts.get("Ideas", "").split(";") if idea.strip()),
        pseudocode=parts["Pseudocode"],
        reasons=parts.get("Reasons", ""),
    )


def as_stage(proposal: Proposal) -> Stage:
    """A proposal as the newest algorithm of a chain, for the step after it."""
    return Stage(
        name=proposal.name,
        ideas=proposal.ideas or ("not stated",),
        pseudocode=proposal.pseudocode,
        weaknesses=("not yet known",),
        answers=proposal.answers or None,
        change=proposal.reasons or None,
    )


def _headline(number: int, stage: Stage) -> str:
    year = f" ({stage.year})" if stage.year else ""
    answered = f" It answers: {stage.answers}" if stage.answers else ""
    change = f" Change: {stage.change}" if stage.change else ""
    return f"{number}. {stage.name}{year}.{answered}{change} Ideas: {_joined(stage.ideas)}"


def _joined(texts: Sequence[str]) -> str:
    return "; ".join(text.removesuffix(".") for text in texts) + "."
