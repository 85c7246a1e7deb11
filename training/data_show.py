"""The report on a file of rows as people read it."""

from collections.abc import Sequence

from rich.console import Console

from training import lengths
from training.codes import Problem
from training.data_report import Report

# Enough to see what is wrong; a program reads all of them with --json.
MOST_SHOWN = 100
MOST_WARNINGS_SHOWN = 20


def show(report: Report, console: Console) -> None:
    """Print a report.

    Args:
        report: The report.
        console: Where people read it.
    """
    sheet = report.sheet
    console.print(
        f"{sheet.path}: {sheet.count} rows, {len(sheet.rows)} kept ({sheet.format}, {sheet.encoding})"
    )
    _list("Problems", sheet.problems, MOST_SHOWN, console)
    _list("Worth a look, kept", sheet.warnings, MOST_WARNINGS_SHOWN, console)
    if report.held_out is not None:
        held_out = report.held_out
        console.print(
            f"{held_out.path}: {held_out.count} rows held out, {len(held_out.rows)} kept, "
            f"{len(report.leaks)} leak from {sheet.path}"
        )
        _list("Problems", held_out.problems, MOST_SHOWN, console)
        _list("Leaks", report.leaks, MOST_SHOWN, console)
    if sheet.rows:
        languages = ", ".join(f"{name} {count}" for name, count in report.languages.items())
        console.print(f"Languages (of a sample): {languages}")
    _show_lengths(report, console)
    for remark in report.remarks:
        console.print(remark)


def _list(title: str, problems: Sequence[Problem], most: int, console: Console) -> None:
    if not problems:
        return
    console.print(f"{title}: {len(problems)}")
    console.print("\n".join(f"  {printable(str(problem))}" for problem in problems[:most]))
    if len(problems) > most:
        console.print(f"  and {len(problems) - most} more; --json shows all")


def printable(text: str) -> str:
    """A text without what a terminal would take for a command or cannot write."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )


def _show_lengths(report: Report, console: Console) -> None:
    found, unit = report.lengths
    figures = lengths.figures(found)
    if figures is None:
        return
    encoded = report.encoded
    share = f", {encoded.trained / figures.total:.0%} of them trained" if encoded else ""
    console.print(
        f"{figures.total:,} {unit}{share}; per row {figures.least} to {figures.most}, "
        f"median {figures.median}, 95 % up to {figures.p95}"
    )
    console.print(lengths.histogram(found, unit))
    if encoded is None:
        console.print("Lengths in tokens, control tokens and a preview need --base.")
        return
    cut = encoded.cut
    console.print(
        f"Cut at {report.max_length_tokens} tokens, {cut.rows} rows would lose {cut.tokens:,} tokens "
        f"and learn no end, {cut.rows_without_output} of them their whole output; nothing is cut."
    )
    for shown in encoded.previews():
        console.print(f"line {shown['line']}, trained tokens in brackets:")
        console.print(shown["text"])
