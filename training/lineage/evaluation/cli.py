"""The commands `evaluate`, `sheet` and `agreement` of `python -m training.lineage`."""

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from adapters.errors import AdapterError
from adapters.layout import default_root
from adapters.store import Store
from basemodels import BaseModelError, resolve
from training.errors import EvaluationFailed
from training.evaluate import Share, shown
from training.lineage import loading
from training.lineage.errors import LineageError
from training.lineage.evaluation import agreement, choosing, rolling, running
from training.lineage.evaluation import sheet as sheets
from training.lineage.evaluation.models import TASK, LocalModel, Model
from training.lineage.evaluation.novelty import TrainingText
from training.lineage.schema import Lineage
from training.row_writing import write_whole
from training.served_text import ServedModel

MEASURES = ("rank", "match", "programs", "rollout")
MIN_DISTRACTORS, MAX_DISTRACTORS = 4, 10


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the three commands."""
    evaluate = commands.add_parser("evaluate", help="measure a model on chains it has not seen")
    evaluate.add_argument("--url", help="a service; with --model")
    evaluate.add_argument("--model", help="what to ask the service for: evolution@1, or the base")
    evaluate.add_argument("--api-key", default="not-needed", help="key of the service")
    evaluate.add_argument("--base", help="a base model to load here instead of a service")
    evaluate.add_argument("--adapter", help="evolution@1, a version in the store, on top of --base")
    evaluate.add_argument("--store", type=Path, help="the store [$LORADOCK_STORE, or user data]")
    evaluate.add_argument(
        "--files", type=Path, nargs="*", default=[], help="lineages [those that are shipped]"
    )
    evaluate.add_argument("--cutoff-year", type=int, help="only chains that end after it [all]")
    evaluate.add_argument("--distractors", type=_distractors, default=5, help="4 to 10 [5]")
    evaluate.add_argument("--seed", type=int, default=0, help="of what is drawn [0]")
    evaluate.add_argument("--limit", type=int, help="questions of each kind [all]")
    evaluate.add_argument("--train-rows", type=Path, help="train.csv, for novelty [nothing]")
    evaluate.add_argument(
        "--what", nargs="+", choices=MEASURES, default=["rank", "match"], help="[rank match]"
    )
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="write results as JSON")
    sheet = commands.add_parser("sheet", help="write a blind sheet for experts from roll-outs")
    sheet.add_argument(
        "results", nargs="+", type=_named, help="NAME=FILE, a result of evaluate for each system"
    )
    sheet.add_argument("--out", type=Path, required=True, metavar="DIR", help="where it goes")
    sheet.add_argument("--seed", type=int, default=0, help="of the order [0]")
    agree = commands.add_parser("agreement", help="read ratings back: means, kappa, alpha")
    agree.add_argument("ratings", nargs="+", type=Path, help="CSV files that raters saved")
    agree.add_argument("--key", type=Path, help="key.json of the sheet, for means by system")


def run(arguments: argparse.Namespace) -> int:
    """Run one of the commands.

    Raises:
        TrainingError: It cannot be done.
    """
    commands = {"evaluate": _evaluate, "sheet": _sheet, "agreement": _agreement}
    return commands[arguments.command](arguments)


def _evaluate(arguments: argparse.Namespace) -> int:
    lineages = loading.load(arguments.files)
    training = TrainingText(_trained(arguments.train_rows))
    model = _model(arguments)
    measures: dict[str, Callable[[], BaseModel]] = {
        "rank": lambda: _choice(model, lineages, arguments, choosing.ranking_cases),
        "match": lambda: _choice(model, lineages, arguments, choosing.matching_cases),
        "programs": lambda: running.improve(
            model, lineages, arguments.cutoff_year, arguments.limit
        ),
        "rollout": lambda: rolling.roll_out(
            model, lineages, training, after_year=arguments.cutoff_year, limit=arguments.limit
        ),
    }
    results: dict[str, object] = {"model": model.name, "cutoff_year": arguments.cutoff_year}
    for name in dict.fromkeys(arguments.what):
        result = measures[name]()
        results[name] = result.model_dump(mode="json")
        print(f"{name}: {_line(result)}")
    if arguments.out:
        write_whole(arguments.out, json.dumps(results, ensure_ascii=False, indent=1) + "\n")
        print(f"results in {arguments.out}")
    return 0


def _choice(
    model: Model,
    lineages: list[Lineage],
    arguments: argparse.Namespace,
    cases_of: Callable[[list[Lineage], int, int, int | None], list[choosing.Case]],
) -> choosing.ChoiceScore:
    cases = cases_of(lineages, arguments.distractors, arguments.seed, arguments.cutoff_year)
    if not cases:
        raise EvaluationFailed(
            f"no chain ends after {arguments.cutoff_year}; expected at least one. Choose an earlier "
            "--cutoff-year"
        )
    return choosing.choose(model, cases[: arguments.limit])


def _line(result: BaseModel) -> str:
    if isinstance(result, choosing.ChoiceScore):
        return (
            f"{shown(result.right)} right of {result.right.of}, chance {result.chance:.1%}, "
            f"mean rank {result.mean_rank:.2f}"
        )
    if isinstance(result, running.ProgramScore):
        named = {"readable": result.readable, "right": result.right, "better": result.better}
        return _shares(named, result.right.of)
    if isinstance(result, rolling.RollOutScore):
        steps = zip(result.readable, result.copies, result.new_share, strict=True)
        return "; ".join(
            f"step {number}: {shown(readable)} readable, {shown(copies)} copies, "
            f"{new:.0%} new 5-grams"
            for number, (readable, copies, new) in enumerate(steps, 1)
        )
    raise AssertionError(f"no line for {type(result).__name__}")


def _shares(named: dict[str, Share], of: int) -> str:
    return ", ".join(f"{name} {shown(share)}" for name, share in named.items()) + f" of {of}"


def _model(arguments: argparse.Namespace) -> Model:
    if (arguments.url is None) == (arguments.base is None):
        raise EvaluationFailed("expected either --url with --model, or --base; give one of the two")
    if arguments.url is not None:
        if arguments.model is None:
            raise EvaluationFailed("--url was given without --model; say what to ask for")
        return ServedModel(arguments.url, arguments.model, arguments.api_key, TASK)
    try:
        base = resolve(arguments.base)
        if arguments.adapter is None:
            return LocalModel(base, None, arguments.base)
        version = Store(arguments.store or default_root()).resolve(arguments.adapter)
        return LocalModel(base, version.path, str(version))
    except (BaseModelError, AdapterError) as error:
        raise EvaluationFailed(str(error)) from error


def _trained(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [row["output"] for row in csv.DictReader(file)]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise LineageError(
            f"cannot read training rows from {path}: {error!r}; expected the train.csv that `rows` "
            "wrote. Check the path"
        ) from error


def _sheet(arguments: argparse.Namespace) -> int:
    answers = sheets.read_answers(dict(arguments.results))
    written = sheets.sheet(sheets.items_of(answers, arguments.seed), "Proposals to rate")
    write_whole(arguments.out / "sheet-a.html", written.first)
    write_whole(arguments.out / "sheet-b.html", written.second)
    write_whole(arguments.out / "key.json", json.dumps(written.key, indent=1) + "\n")
    print(f"{len(written.key)} proposals in sheet-a.html and sheet-b.html, in {arguments.out};")
    print("give half of the raters one and half the other, and keep key.json to yourself")
    return 0


def _agreement(arguments: argparse.Namespace) -> int:
    systems = json.loads(arguments.key.read_text(encoding="utf-8")) if arguments.key else None
    for found in agreement.agreement(agreement.read_ratings(arguments.ratings), systems):
        alpha = "undefined" if found.alpha is None else f"{found.alpha:.3f}"
        print(f"{found.question}: {found.raters} raters, {found.items} items, alpha {alpha}")
        for pair, kappa in found.kappas.items():
            print(f"  {pair}: kappa {'undefined' if kappa is None else f'{kappa:.3f}'}")
        for system, mean in found.means.items():
            print(f"  {system}: mean {mean:.2f}")
    return 0


def _distractors(text: str) -> int:
    if not text.isdecimal() or not MIN_DISTRACTORS <= int(text) <= MAX_DISTRACTORS:
        raise argparse.ArgumentTypeError(
            f"{text!r} distractors; expected {MIN_DISTRACTORS} to {MAX_DISTRACTORS}"
        )
    return int(text)


def _named(text: str) -> tuple[str, Path]:
    name, found, path = text.partition("=")
    if not found or not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=FILE")
    return name, Path(path)
