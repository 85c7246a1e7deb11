"""Everything that is measured of models on held-out chapters, as one report."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pydantic import BaseModel

from training.errors import EvaluationFailed
from training.novels.evaluation import bits
from training.novels.evaluation.copying import longest_shared
from training.novels.evaluation.texture import Texture, texture_of
from training.novels.evaluation.writing import Sampling, Writer, Written
from training.rows import Row

BOOK = "the book"


class Plan(NamedTuple):
    """What to measure.

    Attributes:
        openings: How many to continue.
        max_tokens: Limit of a continuation.
        samplings: The first for all models, the others for the last model.
        seed: Of what is drawn.
        training_text: To look for copies in; `None` if it is not at hand.
    """

    openings: int
    max_tokens: int
    samplings: Sequence[Sampling]
    seed: int
    training_text: str | None


class Report(BaseModel):
    """What was found.

    Attributes:
        bits: Bits per character by language.
        sampling: How all models drew in `textures`, as temperature/top_p.
        textures: What the book and each model write after the same openings.
        samplings: The last model's textures by how it draws.
        nearest: The sampling whose variety and repetition are nearest to the book's.
    """

    bits: dict[str, bits.Bits]
    sampling: str
    textures: dict[str, Texture]
    samplings: dict[str, Texture]
    nearest: str


class Example(NamedTuple):
    """One opening and how each goes on: text, and the longest stretch that was copied."""

    opening: str
    continuations: dict[str, tuple[str, str]]


class Found(NamedTuple):
    """The report, and the texts behind it."""

    report: Report
    examples: list[Example]


def evenly(rows: Sequence[Row], limit: int | None) -> list[Row]:
    """As many rows as may be, from all over a file."""
    count = min(len(rows), limit or len(rows))
    return [rows[at * len(rows) // count] for at in range(count)]


def measure(
    writers: Sequence[Writer], rows: Sequence[Row], plan: Plan, tell: Callable[[str], None]
) -> Found:
    """Measure models, the base first.

    Args:
        writers: Models with different names.
        rows: Held-out openings and continuations.
        plan: What to measure.
        tell: Told what is being done.

    Raises:
        EvaluationFailed: The rows of a language are of one chapter, or do not fit.
    """
    measured = _bits(writers, rows, tell)
    chosen = evenly(rows, plan.openings)
    written = _write(writers, chosen, plan, tell)
    texts = [each.text for several in written.values() for each in several]
    copies = None if plan.training_text is None else longest_shared(texts, plan.training_text)
    shared = {
        name: None if copies is None else copies[at * len(chosen) : (at + 1) * len(chosen)]
        for at, name in enumerate(written)
    }
    asked = [len(row.output) for row in chosen]
    textures = {name: texture_of(each, asked, shared[name]) for name, each in written.items()}
    return Found(
        _report(writers, plan, measured, textures),
        [_example(row, at, written, shared) for at, row in enumerate(chosen)],
    )


def _bits(
    writers: Sequence[Writer], rows: Sequence[Row], tell: Callable[[str], None]
) -> dict[str, bits.Bits]:
    nats = {}
    for writer in writers:
        tell(f"{writer.name}: likelihood of {len(rows)} continuations")
        nats[writer.name] = writer.nats(rows)
    languages = [row.notes.get("language") or "text" for row in rows]
    found = {}
    for language in sorted(set(languages)):
        places = [at for at, each in enumerate(languages) if each == language]
        found[language] = bits.compare(
            {name: [values[at] for at in places] for name, values in nats.items()},
            [len(rows[at].output) for at in places],
            [rows[at].group or f"row {rows[at].line}" for at in places],
        )
    return found


def _write(
    writers: Sequence[Writer], rows: Sequence[Row], plan: Plan, tell: Callable[[str], None]
) -> dict[str, list[Written]]:
    """What the book says, what each model writes, and what the last writes by other samplings."""
    prompts = [row.prompt for row in rows]
    written = {BOOK: [Written(row.output, ended=True) for row in rows]}
    first, *others = plan.samplings
    for writer in writers:
        tell(f"{writer.name}: {len(rows)} continuations at {first}")
        written[writer.name] = writer.write(prompts, first, plan.max_tokens, plan.seed)
    for sampling in others:
        tell(f"{writers[-1].name}: {len(rows)} continuations at {sampling}")
        written[_label(writers[-1], sampling)] = writers[-1].write(
            prompts, sampling, plan.max_tokens, plan.seed
        )
    empty = [name for name, texts in written.items() if not any(each.text for each in texts)]
    if empty:
        raise EvaluationFailed(
            f"{', '.join(empty)} wrote nothing after any of {len(rows)} openings; expected text. "
            "Look at how it was trained, or leave it out."
        )
    return written


def _label(writer: Writer, sampling: Sampling) -> str:
    return f"{writer.name} at {sampling}"


def _report(
    writers: Sequence[Writer],
    plan: Plan,
    measured: dict[str, bits.Bits],
    textures: dict[str, Texture],
) -> Report:
    first, *others = plan.samplings
    last = writers[-1]
    by_sampling = {str(first): textures[last.name]}
    by_sampling |= {str(each): textures[_label(last, each)] for each in others}
    book = textures[BOOK]
    return Report(
        bits=measured,
        sampling=str(first),
        textures={name: textures[name] for name in (BOOK, *(each.name for each in writers))},
        samplings=by_sampling,
        nearest=min(by_sampling, key=lambda name: by_sampling[name].distance(book)),
    )


def _example(
    row: Row, at: int, written: dict[str, list[Written]], shared: dict[str, list[str] | None]
) -> Example:
    def copied(name: str) -> str:
        stretches = shared[name]
        return "" if stretches is None else stretches[at]

    return Example(
        row.prompt, {name: (texts[at].text, copied(name)) for name, texts in written.items()}
    )
