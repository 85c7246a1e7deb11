"""`python -m adapters COMMAND`: look into the store, verify adapters, move aliases.

Exit codes: 0 done and nothing found, 1 something was found (by verify), 2 the request cannot be
met; stderr says why.
"""

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from adapters import commands, layout, tables
from adapters.errors import AdapterError
from adapters.gate import MAX_RANK
from adapters.names import DEFAULT_ALIAS
from adapters.store import Store
from basemodels import BaseModelError

EXIT_OK, EXIT_FOUND, EXIT_REFUSED = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    store = Store(arguments.store or layout.default_root())
    try:
        answer = arguments.run(store, arguments)
    except (AdapterError, BaseModelError) as error:
        if arguments.json:
            code = getattr(error, "code", "base_model_error")
            print(json.dumps({"error": {"code": code, "message": str(error)}}))
        print(f"adapters: {error}", file=sys.stderr)
        return EXIT_REFUSED
    if arguments.json:
        print(json.dumps(answer.data))
    else:
        tables.show(answer)
    return EXIT_OK if answer.good else EXIT_FOUND


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m adapters",
        description="The store of adapters. REF is NAME (its stable version), NAME@3 or NAME@alias.",
        epilog=f"Exit codes: {EXIT_OK} done; {EXIT_FOUND} something was found; {EXIT_REFUSED} refused.",
        allow_abbrev=False,
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: commands.Command, text: str) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=text, description=text, allow_abbrev=False)
        added.add_argument(
            "--store", type=Path, help="the store [default: $LORADOCK_STORE, or in the user's data]"
        )
        added.add_argument("--json", action="store_true", help="for programs")
        added.set_defaults(run=run)
        return added

    listing = command("list", commands.list_versions, "adapters, their versions and aliases")
    listing.add_argument("name", nargs="?", help="only this adapter")
    showing = command("show", commands.show, "everything that is known about a version")
    showing.add_argument("ref", metavar="REF")
    _add_verify(command("verify", commands.verify, "whether an adapter may be docked"))
    changes = command("history", commands.history, "every change of an adapter's aliases")
    changes.add_argument("name")
    promoting = command("promote", commands.promote, "point an alias at a version")
    promoting.add_argument("ref", metavar="REF")
    rolling = command("rollback", commands.rollback, "point an alias where it pointed before")
    rolling.add_argument("name")
    for mover in (promoting, rolling):
        mover.add_argument("--alias", default=DEFAULT_ALIAS, help="[default: %(default)s]")
        mover.add_argument("--who", default=getpass.getuser(), help="[default: %(default)s]")
        mover.add_argument("--why", default="by hand", help="[default: %(default)s]")
    return parser


def _add_verify(verifying: argparse.ArgumentParser) -> None:
    verifying.add_argument("adapter", metavar="DIR|REF", help="a PEFT directory or a version")
    verifying.add_argument(
        "--base", help="name, Hub id or directory of the base [default: what the adapter names]"
    )
    verifying.add_argument(
        "--max-rank",
        type=int,
        default=MAX_RANK,
        help="highest rank the engine accepts [default: %(default)s]",
    )
