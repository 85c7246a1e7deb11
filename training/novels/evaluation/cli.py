"""`python -m training.novels evaluate`: a base and its adapters on held-out chapters.

Exit codes: 0 done, 2 it cannot be done (one message says why).
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from adapters.errors import AdapterError, AdapterRefused
from adapters.gate import check
from adapters.layout import default_root
from adapters.store import Store
from basemodels import BaseModelError, resolve
from configuration.arguments import positive
from training.command import quieten
from training.errors import EvaluationFailed, TrainingError
from training.evaluate import Share, read_held_out
from training.novels.evaluation.bits import Bits, Interval
from training.novels.evaluation.measuring import Plan, Report, evenly, measure
from training.novels.evaluation.page import page
from training.novels.evaluation.texture import Texture
from training.novels.evaluation.writing import Sampling, Writer
from training.reading.texts import read_texts
from training.row_writing import write_whole

SAMPLINGS = [Sampling(0.8, 0.95), Sampling(0, 1), Sampling(1, 1)]


def main(argv: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    quieten()
    try:
        _evaluate(arguments, Console(highlight=False, soft_wrap=True), errors)
    except (TrainingError, AdapterError, BaseModelError) as error:
        errors.print(f"training.novels evaluate: {error}")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.novels evaluate",
        description="Bits per character of held-out chapters, and what is written after their "
        "openings, of a base and of adapters on it.",
        allow_abbrev=False,
    )
    parser.add_argument("--base", required=True, help="a base model; of a service, its name there")
    parser.add_argument(
        "--adapter", action="append", default=[], metavar="NAME@V", help="may be given repeatedly"
    )
    parser.add_argument("--rows", type=Path, required=True, help="held-out.csv")
    parser.add_argument(
        "--train-text", type=Path, metavar="PATH", help="raw/, to look for copies in [nothing]"
    )
    parser.add_argument("--url", help="ask a service [load the models here]")
    parser.add_argument("--api-key", default="not-needed", help="key of the service")
    parser.add_argument("--store", type=Path, help="the store [$LORADOCK_STORE, or user data]")
    _takes_sizes(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--samples-page", type=Path, metavar="FILE", help="write texts as HTML")
    return parser


def _takes_sizes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="rows, from all over the file [all]"
    )
    parser.add_argument(
        "--samples", type=positive, default=8, metavar="N", help="openings to continue [8]"
    )
    parser.add_argument(
        "--max-tokens", type=positive, default=240, metavar="N", help="of a continuation [240]"
    )
    parser.add_argument(
        "--sampling",
        nargs="+",
        default=SAMPLINGS,
        type=_sampling,
        metavar="T/P",
        help="temperature/top_p; the first for all models, the others for the last one "
        f"[{' '.join(map(str, SAMPLINGS))}]",
    )
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn [0]")


def _evaluate(arguments: argparse.Namespace, console: Console, errors: Console) -> None:
    sheet = read_held_out(arguments.rows, "continuation")
    training_text = _training_text(arguments.train_text)
    plan = Plan(
        openings=arguments.samples,
        max_tokens=arguments.max_tokens,
        samplings=list(dict.fromkeys(arguments.sampling)),
        seed=arguments.seed,
        training_text=training_text,
    )
    rows = evenly(sheet.rows, arguments.limit)
    found = measure(_writers(arguments), rows, plan, errors.print)
    _show(found.report, console)
    if arguments.out:
        head = {"rows": arguments.rows.name, "rows_sha256": sheet.content_sha256()}
        results = head | found.report.model_dump(mode="json")
        write_whole(arguments.out, json.dumps(results, ensure_ascii=False, indent=1) + "\n")
        console.print(f"report in {arguments.out}")
    if arguments.samples_page:
        write_whole(arguments.samples_page, page(found.examples, found.report.sampling))
        console.print(f"texts in {arguments.samples_page}")


def _training_text(path: Path | None) -> str | None:
    if path is None:
        return None
    if not path.exists():
        raise EvaluationFailed(
            f"there is no {path}; expected raw/, which `python -m training.data novel` wrote, or a "
            "text file. Check the path."
        )
    records = [record for _, record in read_texts(path).items if isinstance(record, dict)]
    return "\n".join(str(record["text"]) for record in records)


def _writers(arguments: argparse.Namespace) -> list[Writer]:
    names = list(dict.fromkeys(arguments.adapter))
    # Torch takes seconds that a wrong path need not wait for.
    from training.novels.evaluation.writers import Bench, ServedWriter  # noqa: PLC0415

    if arguments.url is not None:
        return [
            ServedWriter(arguments.url, name, arguments.api_key)
            for name in [arguments.base, *names]
        ]
    store = Store(arguments.store or default_root())
    versions, base_dir = [store.resolve(name) for name in names], resolve(arguments.base)
    for version in versions:
        if findings := check(version.path, base_dir):
            raise AdapterRefused(f"{version} on {arguments.base}", findings)
    return Bench(
        base_dir, arguments.base, {str(version): version.path for version in versions}
    ).writers


def _show(report: Report, console: Console) -> None:
    for language, found in report.bits.items():
        _show_bits(language, found, console)
    _show_textures(f"written at {report.sampling}", report.textures, console)
    _show_textures("by sampling", report.samplings, console)
    console.print(f"nearest to the book in variety and repetition: {report.nearest}")


def _show_bits(language: str, found: Bits, console: Console) -> None:
    table = Table(
        title=f"{language}: bits per character of {found.rows} continuations, "
        f"{found.chapters} chapters, 95 % intervals"
    )
    for heading in ("", "bits per character"):
        table.add_column(heading, no_wrap=True)
    for name, each in found.models.items():
        table.add_row(name, _interval(each))
    console.print(table)
    for difference in found.differences:
        console.print(
            f"  {difference.of} saves {_interval(difference.saved)} against {difference.against}"
        )


def _interval(each: Interval) -> str:
    return f"{each.value:.4f} ({each.low:.4f} to {each.high:.4f})"


def _show_textures(title: str, textures: dict[str, Texture], console: Console) -> None:
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    for name in textures:
        table.add_column(name, justify="right", overflow="fold")
    columns = [_cells(each) for each in textures.values()]
    for what in columns[0]:
        table.add_row(what, *(cells[what] for cells in columns))
    console.print(table)


def _cells(each: Texture) -> dict[str, str]:
    shown = {f"distinct-{n}": _three(value) for n, value in enumerate(each.distinct, 1)}
    shown |= {
        "repeated": _three(each.repeated),
        "characters": f"{each.characters:.0f}",
        "asked": f"{each.characters_asked:.0f}",
        "ended": _share(each.ended),
        "whole": _share(each.whole),
    }
    if each.shared_characters is not None and each.longest_shared is not None:
        shown |= {
            "copied": f"{each.shared_characters:.0f}",
            "longest": str(len(each.longest_shared)),
        }
    return shown


def _three(value: float) -> str:
    return f"{value:.3f}"


def _share(found: Share) -> str:
    return f"{found.share:.0%} ({found.low:.0%}-{found.high:.0%})"


def _sampling(text: str) -> Sampling:
    try:
        return Sampling.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no TEMPERATURE/TOP_P; expected 0.8/0.95 for example, up to 2/1"
        ) from error
