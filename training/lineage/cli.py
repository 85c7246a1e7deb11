"""`python -m training.lineage check|render|measure|rows|evaluate|sheet|agreement`.

Exit codes: 0 done, 1 something was found (a mistake in a file, a claim that does not hold), 2 the
request cannot be met (one message on stderr says why).
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training.errors import TrainingError
from training.lineage import drawing, loading, measuring, rows, writing
from training.lineage.errors import LineageError
from training.lineage.evaluation import cli as evaluation
from training.row_writing import write_whole

COMMANDS = {"evaluate", "sheet", "agreement"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command in COMMANDS:
            return evaluation.run(arguments)
        run = {"check": _check, "render": _render, "measure": _measure, "rows": _rows}
        return run[arguments.command](arguments)
    except TrainingError as error:
        print(f"training.lineage: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.lineage",
        description="Lineages of algorithms: check, draw, measure, rows to train on, evaluation.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="name every mistake in lineage files")
    _takes_files(check)
    check.add_argument("--json", action="store_true", help="for programs")
    render = commands.add_parser("render", help="draw one lineage as SVG")
    render.add_argument("file", type=Path, help="a lineage file")
    render.add_argument("--out", type=Path, required=True, metavar="FILE", help="the .svg to write")
    measure = commands.add_parser("measure", help="count operations and test claims")
    _takes_files(measure)
    measure.add_argument("--plots", type=Path, metavar="DIR", help="write one plot per lineage")
    measure.add_argument("--format", choices=["svg", "png"], default="svg", help="of plots [svg]")
    measure.add_argument("--json", action="store_true", help="for programs")
    _takes_rows(commands.add_parser("rows", help="make rows to train on"))
    evaluation.add_commands(commands)
    return parser


def _takes_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", type=Path, nargs="*", help="files or folders [those that are shipped]"
    )


def _takes_rows(parser: argparse.ArgumentParser) -> None:
    defaults = rows.Options()
    _takes_files(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where rows go")
    parser.add_argument("--seed", type=int, default=0, help="the same seed, the same rows [0]")
    parser.add_argument(
        "--cutoff-year", type=int, metavar="Y", help="hold out what is younger [nothing]"
    )
    parser.add_argument(
        "--judging-weight",
        type=float,
        default=defaults.judging_weight,
        help="judging rows for each edge, 0 to 2 [%(default)s]",
    )
    parser.add_argument(
        "--neighbours",
        type=int,
        default=defaults.neighbours,
        help="related algorithms named in a prompt [%(default)s]",
    )
    parser.add_argument(
        "--renamings",
        type=int,
        default=defaults.renamings,
        help="renamed copies of each program [%(default)s]",
    )


def _check(arguments: argparse.Namespace) -> int:
    lineages, findings = loading.inspect(arguments.files)
    nodes = [node for lineage in lineages for node in lineage.nodes]
    runnable = [lineage for lineage in lineages if measuring.is_executable(lineage)]
    if arguments.json:
        found = [finding._asdict() for finding in findings]
        counted = {"lineages": len(lineages), "nodes": len(nodes), "executable": len(runnable)}
        print(json.dumps({**counted, "findings": found}, ensure_ascii=False))
    else:
        for finding in findings:
            print(finding)
        named = sum(node.source.id is not None for node in nodes)
        print(
            f"{len(lineages)} lineages, {len(nodes)} nodes ({named} with an identifier of their "
            f"source), {len(runnable)} lineages executable throughout; {len(findings)} mistake(s)"
        )
    return 1 if findings else 0


def _render(arguments: argparse.Namespace) -> int:
    if arguments.out.suffix != ".svg":
        raise LineageError(f"cannot draw {arguments.out}: expected a name that ends in .svg")
    (lineage,) = loading.load([arguments.file])
    write_whole(arguments.out, drawing.draw(lineage))
    print(f"{lineage.title}: {len(lineage.nodes)} algorithms in {arguments.out}")
    return 0


def _measure(arguments: argparse.Namespace) -> int:
    lineages = [item for item in loading.load(arguments.files) if measuring.is_executable(item)]
    measured = [measuring.measure(lineage) for lineage in lineages]
    if arguments.plots:
        for one in measured:
            measuring.plot(one, arguments.plots / f"{one.lineage}.{arguments.format}")
    if arguments.json:
        print(json.dumps([_as_json(one) for one in measured], ensure_ascii=False))
    else:
        for one in measured:
            print(_table(one))
    return 0 if all(claim.holds for one in measured for claim in one.improvements) else 1


def _as_json(measured: measuring.Measured) -> dict[str, object]:
    return {
        "lineage": measured.lineage,
        "counted": measured.counted,
        "curves": [curve._asdict() for curve in measured.curves],
        "improvements": [{**item._asdict(), "holds": item.holds} for item in measured.improvements],
    }


def _table(measured: measuring.Measured) -> str:
    lines = [f"{measured.lineage}: {measured.counted}"]
    for curve in measured.curves:
        counts = ", ".join(
            f"{size}: {total:.0f}"
            for size, total in zip(curve.sizes, curve.operations, strict=True)
        )
        lines.append(f"  {curve.node:28} {curve.inputs:16} n^{curve.order:<5.2f} {counts}")
    for claim in measured.improvements:
        verdict = "holds" if claim.holds else "DOES NOT HOLD"
        lines.append(
            f"  {claim.parent} -> {claim.child} on {claim.inputs} at {claim.size}: "
            f"{claim.parent_operations:.0f} -> {claim.child_operations:.0f}, {verdict}"
        )
    return "\n".join(lines) + "\n"


def _rows(arguments: argparse.Namespace) -> int:
    options = rows.Options(
        seed=arguments.seed,
        cutoff_year=arguments.cutoff_year,
        judging_weight=arguments.judging_weight,
        neighbours=arguments.neighbours,
        renamings=arguments.renamings,
    )
    split = rows.build(loading.load(arguments.files), options)
    files = writing.write_split(split, arguments.out)
    for path, part in zip(files, (split.train, split.held_out), strict=False):
        kinds = Counter(row.kind for row in part)
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        print(f"{path}: {len(part)} rows ({listed})")
    return 0
