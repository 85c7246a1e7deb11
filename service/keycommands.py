"""`python -m service keys create|list|revoke`: the key file from the command line.

Returns text; a key is shown once, when it is made, and is nowhere kept.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from service import keyfile
from service.errors import KeyFileError
from service.keyfile import KeyRecord, Wanted

VARIABLE = "LORADOCK_KEY_FILE"


def run(argv: Sequence[str]) -> str:
    """Do one command and return what it has to say.

    Raises:
        KeyFileError: The file or a value is wrong.
        SystemExit: The command line is wrong, or `--help` was asked for.
    """
    arguments = _parser().parse_args(argv)
    if arguments.key_file is None:
        raise KeyFileError(
            f"There is no key file; expected --key-file FILE or ${VARIABLE}. Name the one that the "
            "server is started with."
        )
    path = Path(arguments.key_file).expanduser()
    if arguments.command == "create":
        record, key = keyfile.create(path, _wanted(arguments))
        return f"{_shown(record)}\nkey, shown this once: {key}"
    if arguments.command == "revoke":
        keyfile.revoke(path, arguments.id)
        return f"revoked {arguments.id}; a running server refuses it within a second"
    return "\n".join(map(_shown, keyfile.read(path))) or "no keys"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m service keys", description="Keys that open the service.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make a key and show it once", allow_abbrev=False)
    commands.add_parser("list", help="show what each key opens", allow_abbrev=False)
    revoke = commands.add_parser("revoke", help="take a key out of use", allow_abbrev=False)
    for command in commands.choices.values():
        command.add_argument(
            "--key-file", default=os.environ.get(VARIABLE), help=f"the file (${VARIABLE})"
        )
    revoke.add_argument("id", help="the key's id, as `list` shows it")
    create.add_argument("--name", required=True, help="whose it is")
    create.add_argument("--scope", default="inference", help="inference or admin")
    create.add_argument(
        "--adapter",
        action="append",
        dest="adapters",
        help="an adapter it is limited to, or the base's id; may be given again",
    )
    create.add_argument("--requests-per-min", help="requests it may begin in a minute")
    create.add_argument("--max-concurrent", help="requests it may have open at once")
    return parser


def _wanted(arguments: argparse.Namespace) -> Wanted:
    values = {name: getattr(arguments, name) for name in Wanted.model_fields}
    try:
        return Wanted.model_validate(values)
    except ValidationError as error:
        problems = "; ".join(
            f"--{str(details['loc'][0]).replace('_', '-')}={details['input']!r}: {details['msg']}"
            for details in error.errors()
        )
        raise KeyFileError(f"No key was made: {problems}. Correct the flags.") from error


def _shown(record: KeyRecord) -> str:
    limits = [
        f"{record.requests_per_min} requests a minute" if record.requests_per_min else "",
        f"{record.max_concurrent} at once" if record.max_concurrent else "",
        f"only {', '.join(record.adapters)}" if record.adapters else "",
    ]
    told = "; ".join(filter(None, limits)) or "no limits"
    return f"{record.id}  {record.scope}  {record.name}  {record.created:%Y-%m-%d}  {told}"
