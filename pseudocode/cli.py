"""`python -m pseudocode run FILE` and `check FILE`: a program from a file or, with `-`, from stdin.

Exit codes: 0 it has an answer (`check`: and nothing is doubtful), 1 not so, 2 wrong usage or a file
that cannot be read.
"""

import argparse
import dataclasses
import json
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from pseudocode.findings import CONSTANTS, Finding, check
from pseudocode.interpreter import run
from pseudocode.limits import DEFAULT_LIMITS
from pseudocode.numbers import format_number
from pseudocode.parser import parse
from pseudocode.result import Failure, Result, Step

DESCRIPTION = "Run programs of the pseudocode dialect exactly, showing every step, or check them."
EXAMPLE = r"""example:
  printf 'cost = 3 * 4.50\nreturn 20 - cost\n' | python -m pseudocode run -
prints
  line  name    value  expression
     1  cost    13.5   3 * 4.50
     2  return  6.5    20 - cost
  answer: 6.5
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        source = _read(arguments.file)
    except (OSError, UnicodeDecodeError) as error:
        print(
            f"pseudocode: cannot read {arguments.file} ({error}); expected a UTF-8 text file, or - "
            "for standard input. Check the path and the encoding.",
            file=sys.stderr,
        )
        return 2
    result = run(source)
    if arguments.command == "check":
        findings = () if result.error else check(parse(source), arguments.question)
        text = "" if result.error else _findings_text(findings)
        _report(_findings_json(findings, result.error), text, arguments.json)
        failed = bool(findings) or result.error is not None
    else:
        _report(_result_json(result), _result_text(result), arguments.json)
        failed = result.error is not None
    if result.error and not arguments.json:
        place = f"line {result.error.line}: " if result.error.line else ""
        print(f"no answer: {place}{result.error.message} [{result.error.code}]", file=sys.stderr)
    return 1 if failed else 0


def _read(file: str) -> str:
    # One byte more than a program may have, so that an endless file is refused and not read.
    most = DEFAULT_LIMITS.max_source_bytes + 1
    if file == "-":
        content = sys.stdin.buffer.read(most)
    else:
        with Path(file).open("rb") as opened:
            content = opened.read(most)
    # A character may have been cut by the limit; the text is refused for its length then.
    return content.decode("utf-8-sig", errors="ignore" if len(content) == most else "strict")


def _report(document: dict[str, object], text: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(document, ensure_ascii=False))
    elif text:
        print(text)


def _result_json(result: Result) -> dict[str, object]:
    return {
        "answer": result.answer,
        "trace": [dataclasses.asdict(step) for step in result.trace],
        "steps": result.steps,
        "error": dataclasses.asdict(result.error) if result.error else None,
    }


def _findings_json(findings: Sequence[Finding], error: Failure | None) -> dict[str, object]:
    return {
        "findings": [dataclasses.asdict(finding) for finding in findings],
        "error": dataclasses.asdict(error) if error else None,
    }


def _result_text(result: Result) -> str:
    lines = [*_table(result.trace)] if result.trace else []
    if result.answer is not None:
        lines.append(f"answer: {result.answer}")
    return "\n".join(lines)


def _findings_text(findings: Sequence[Finding]) -> str:
    lines = [f"line {item.line}: {item.message} [{item.code}]" for item in findings]
    return "\n".join(lines) or "nothing doubtful"


def _table(trace: Sequence[Step]) -> list[str]:
    names = max(_columns(text) for text in ("name", *(step.name for step in trace)))
    values = max(len(text) for text in ("value", *(step.value for step in trace)))
    return [
        f"line  {'name':<{names}}  {'value':<{values}}  expression",
        *(
            f"{step.line:>4}  {step.name}{' ' * (names - _columns(step.name))}"
            f"  {step.value:<{values}}  {step.expression}"
            for step in trace
        ),
    ]


def _columns(text: str) -> int:
    """Width in a terminal, where a Chinese character takes two columns."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pseudocode",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    running = commands.add_parser(
        "run",
        help="run a program and print its steps and its answer",
        description="Run a program and print its steps and its answer.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    constants = ", ".join(format_number(value) for value in sorted(CONSTANTS))
    checking = commands.add_parser(
        "check",
        help="also look for unused steps, numbers from nowhere, and answers nothing computes",
        description="Run a program and name its doubtful lines: steps the answer does not depend "
        "on, literals that the question does not give, an answer that is a literal. Always "
        f"allowed as literals: {constants}.",
        epilog="example:\n  python -m pseudocode check program.txt --question 'What are 3 times 5?'",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    checking.add_argument("--question", metavar="TEXT", help="whose numbers the literals must be")
    for command in (running, checking):
        command.add_argument("file", metavar="FILE", help="a text file, or - for standard input")
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
