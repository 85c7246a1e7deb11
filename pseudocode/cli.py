"""`python -m pseudocode run|check|format|to-python|from-python FILE`; `-` is standard input.

Exit codes: 0 it has an answer (`check`: and nothing is doubtful) or could be written in the other
form, 1 not so, 2 wrong usage or a file that cannot be read.
"""

import argparse
import dataclasses
import json
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from pseudocode.arguments import parser
from pseudocode.errors import PseudocodeError
from pseudocode.findings import Finding, check
from pseudocode.formatter import format_program
from pseudocode.interpreter import run
from pseudocode.limits import DEFAULT_LIMITS
from pseudocode.parser import parse
from pseudocode.python_reader import from_python
from pseudocode.python_writer import to_python
from pseudocode.result import Failure, Result, Step


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = parser().parse_args(argv)
    try:
        source = _read(arguments.file)
    except (OSError, UnicodeDecodeError) as error:
        print(
            f"pseudocode: cannot read {arguments.file} ({error}); expected a UTF-8 text file, or - "
            "for standard input. Check the path and the encoding.",
            file=sys.stderr,
        )
        return 2
    if arguments.command in ("run", "check"):
        return _run_or_check(source, arguments)
    try:
        print(_converted(source, arguments), end="")
    except PseudocodeError as error:
        _complain("not written", Failure(str(error.code), error.message, error.line))
        return 1
    return 0


def _run_or_check(source: str, arguments: argparse.Namespace) -> int:
    result = run(source, level=arguments.level)
    if arguments.command == "check":
        findings = () if result.error else check(parse(source), arguments.question)
        text = "" if result.error else _findings_text(findings)
        _report(_findings_json(findings, result.error), text, arguments.json)
        failed = bool(findings) or result.error is not None
    else:
        _report(_result_json(result), _result_text(result), arguments.json)
        failed = result.error is not None
    if result.error and not arguments.json:
        _complain("no answer", result.error)
    return 1 if failed else 0


def _converted(source: str, arguments: argparse.Namespace) -> str:
    if arguments.command == "to-python":
        return to_python(parse(source))
    program = from_python(source) if arguments.command == "from-python" else parse(source)
    return format_program(program, arguments.language)


def _complain(what: str, failure: Failure) -> None:
    place = f"line {failure.line}: " if failure.line else ""
    print(f"{what}: {place}{failure.message} [{failure.code}]", file=sys.stderr)


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
