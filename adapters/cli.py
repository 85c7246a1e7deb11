"""`python -m adapters COMMAND`: look into the store, change it, verify adapters.

Exit codes: 0 done and nothing found, 1 something was found (verify, fsck, backup), 2 the request
cannot be met; stderr says why.
"""

import argparse
import getpass
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from adapters import commands, layout, tables
from adapters.collecting import KEEP_TARGETS, LEASE_S, MIN_AGE_S
from adapters.errors import AdapterError
from adapters.gate import MAX_RANK
from adapters.names import DEFAULT_ALIAS
from adapters.store import Store
from basemodels import BaseModelError

AddCommand = Callable[[str, commands.Command, str], argparse.ArgumentParser]

EXIT_OK, EXIT_FOUND, EXIT_REFUSED = 0, 1, 2
MAX_COUNT = 10_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        store = Store(arguments.store or layout.default_root())
        answer = arguments.run(store, arguments)
    except (AdapterError, BaseModelError, OSError) as error:
        if arguments.json:
            code = getattr(error, "code", type(error).__name__)
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
    promoting.add_argument(
        "--require",
        action="append",
        default=[],
        metavar="METRIC>=X",
        help="only if it was measured so",
    )
    rolling = command("rollback", commands.rollback, "point an alias where it pointed before")
    rolling.add_argument("name")
    differing = command("diff", commands.diff, "what differs between two versions")
    differing.add_argument("old", metavar="REF")
    differing.add_argument("new", metavar="REF")
    _add_exchange(command)
    _add_upkeep(command)
    for mover in (promoting, rolling):
        mover.add_argument("--alias", default=DEFAULT_ALIAS, help="[default: %(default)s]")
        mover.add_argument("--who", type=_note, default=_user(), help="[default: %(default)s]")
        mover.add_argument("--why", type=_note, default="by hand", help="[default: %(default)s]")
    return parser


def _add_exchange(command: AddCommand) -> None:
    taking = command("import", commands.import_, "publish an adapter that was made elsewhere")
    taking.add_argument("name")
    taking.add_argument(
        "source", help="a PEFT directory, a .tar, .tar.gz or .zip, or hub:owner/repo@<40 hex>"
    )
    taking.add_argument("--base", help="the base model [default: what the adapter names]")
    giving = command("export", commands.export, "copy a version out, as a PEFT directory or a tar")
    giving.add_argument("ref", metavar="REF")
    giving.add_argument("target", type=Path, help="must not exist; NAME.tar makes a tar")
    merging = command("merge", commands.merge, "write base and adapter as one 16-bit model")
    merging.add_argument("ref", metavar="REF")
    merging.add_argument("target", type=Path, help="must not exist")
    merging.add_argument("--base", help="the base model [default: what the manifest names]")


def _add_upkeep(command: AddCommand) -> None:
    collecting = command("gc", commands.collect, "remove versions that nobody needs any more")
    collecting.add_argument("name", nargs="?", help="only this adapter")
    collecting.add_argument("--dry-run", action="store_true", help="only say what would go")
    for flag, default, kind, text in (
        ("--keep-targets", KEEP_TARGETS, _count, "keep so many last targets of every alias"),
        ("--min-age-days", MIN_AGE_S / 86400, _amount, "keep what is younger"),
        ("--lease-hours", LEASE_S / 3600, _amount, "leave what writers left for so long"),
    ):
        collecting.add_argument(
            flag, type=kind, default=default, help=f"{text} [default: {default:g}]"
        )
    saving = command("backup", commands.back_up, "copy the whole store, which may be in use")
    saving.add_argument("target", type=Path, help="a new name, or an empty directory")
    restoring = command("restore", commands.restore, "copy a backup to where the store shall be")
    restoring.add_argument("source", type=Path, help="what `backup` wrote; it is only read")
    checking = command("fsck", commands.check_store, "name what is not as it was written")
    checking.add_argument("name", nargs="?", help="only this adapter")
    checking.add_argument(
        "--repair", action="store_true", help="mend what is safe, quarantine the rest"
    )


def _add_verify(verifying: argparse.ArgumentParser) -> None:
    verifying.add_argument("adapter", metavar="DIR|REF", help="a PEFT directory or a version")
    verifying.add_argument(
        "--base", help="name, Hub id or directory of the base [default: what the adapter names]"
    )
    verifying.add_argument(
        "--max-rank",
        type=_count,
        default=MAX_RANK,
        help="highest rank the engine accepts [default: %(default)s]",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # In a container the number may have no name.
        return f"user {os.getuid()}"


def _note(text: str) -> str:
    if not text.isprintable():
        raise argparse.ArgumentTypeError("expected printable text on one line")
    return text


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {MAX_COUNT}")
    return int(text)


def _amount(text: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {MAX_COUNT}")
    return amount
