"""`python -m basemodels list | show | plan | fetch`: which base models there are, what they take.

Exit codes: 0 done, 1 a plan in which nothing fits, 2 the request cannot be met (one sentence on
stderr says why).
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence

from basemodels.catalogue import CATALOGUE, CatalogueEntry
from basemodels.devices import device
from basemodels.errors import BaseModelError
from basemodels.fetching import fetch
from basemodels.listing import facts, find_sizes, plan_facts, plan_lines, plans, shown
from basemodels.planning import Wish
from basemodels.resolving import find_entry

_BITS_SHOWN = {"nf4": "4 bit", "fp8": "8 bit"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "fetch":
            directory = fetch(
                arguments.model,
                say=lambda line: print(line, file=sys.stderr),
                accept_terms=arguments.accept_terms,
            )
            print(directory)
        elif arguments.command == "plan":
            return _plan(arguments)
        elif arguments.command == "show":
            _show(arguments.model, arguments.device)
        else:
            _list(arguments.device, as_json=arguments.json)
    except BaseModelError as error:
        print(f"basemodels: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m basemodels",
        description="Base models, and what serving and training them takes. Any local directory "
        "or Hub id of a supported architecture works wherever a base is asked for.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="what is known, and what fits")
    showing = commands.add_parser("show", help="everything known of one model, as JSON")
    planning = commands.add_parser("plan", help="every byte that serving and training take")
    fetching = commands.add_parser("fetch", help="download one, once")
    for command in (showing, planning, fetching):
        command.add_argument("model", help="a name of the list, or a Hub id")
    for command in (listing, planning):
        command.add_argument("--json", action="store_true", help="for programs")
    for command in (listing, showing, planning):
        command.add_argument("--device", default="auto", help="auto, or 4090 [auto]")
    for flag, default, what in (
        ("--adapters", Wish.adapters, "adapters in the engine at once"),
        ("--rank", Wish.rank, "their rank"),
        ("--context", None, "longest prompt and answer, in tokens; the model's own"),
        ("--row-tokens", Wish.row_tokens, "longest row trained on, in tokens"),
        ("--batch-rows", Wish.batch_rows, "rows computed at once in training"),
    ):
        planning.add_argument(
            flag, type=_positive, default=default, metavar="N", help=f"{what} [{default or 'all'}]"
        )
    fetching.add_argument(
        "--accept-terms", action="store_true", help="you read and accept the model's terms"
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; expected a whole number above 0")
    return int(text)


def _list(device_name: str, *, as_json: bool) -> None:
    target = device(device_name)
    rows = [facts(entry, target) for entry in CATALOGUE.values()]
    if as_json:
        print(json.dumps(rows))
        return
    print(f"What fits {target.name}:")
    print(f"{'name':26}{'weights':>9}{'16 bit':>10}{'4 bit':>9}  serve   LoRA    QLoRA   licence")
    for entry, row in zip(CATALOGUE.values(), rows, strict=True):
        print(_line(entry, row))


def _line(entry: CatalogueEntry, row: Mapping[str, object]) -> str:
    disk, fits = row["disk_bytes"], row["fits"]
    if not isinstance(disk, dict) or not isinstance(fits, dict):
        raise TypeError("facts() returns mappings here")
    verdicts = "".join(_short(fits[use]) for use in ("serve", "lora", "qlora"))
    marks = "".join(
        [" (gated)" if entry.gated else "", " (on this machine)" if row["directory"] else ""]
    )
    return (
        f"{entry.name:26}{entry.parameters / 1e9:8.3f}B{disk['bfloat16'] / 1e9:8.2f}GB"
        f"{disk['nf4'] / 1e9:7.2f}GB  {verdicts}{entry.licence}{marks}"
    )


def _short(verdict: Mapping[str, object]) -> str:
    if not verdict["fits"]:
        return f"{'no':8}"
    return f"{_BITS_SHOWN.get(str(verdict['dtype']), 'yes'):8}"


def _show(model: str, device_name: str) -> None:
    entry = find_entry(model)
    if entry is None:
        raise BaseModelError(
            f"There is no base model {model!r} in the list. Expected one of {', '.join(CATALOGUE)}."
        )
    print(json.dumps(shown(entry, device(device_name)), indent=2, ensure_ascii=False))


def _plan(arguments: argparse.Namespace) -> int:
    target = device(arguments.device)
    wish = Wish(
        adapters=arguments.adapters,
        rank=arguments.rank,
        context_tokens=arguments.context,
        row_tokens=arguments.row_tokens,
        batch_rows=arguments.batch_rows,
    )
    planned = plans(find_sizes(arguments.model), target, wish)
    if arguments.json:
        document = {"model": arguments.model, "device": target.name}
        print(json.dumps({**document, "plans": [plan_facts(each) for each in planned]}))
    else:
        print(f"{arguments.model} on {target.name}")
        for each in planned:
            print("\n".join(plan_lines(each)))
    return 0 if any(each.fits for each in planned) else 1
