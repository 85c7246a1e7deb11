"""`python -m basemodels list | fetch NAME`: which base models there are, and getting one.

Exit codes: 0 done, 2 the request cannot be met (one sentence on stderr says why).
"""

import argparse
import json
import sys
from collections.abc import Sequence

from basemodels.catalogue import CATALOGUE
from basemodels.errors import BaseModelError
from basemodels.fetching import fetch
from basemodels.resolving import cache_root


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "fetch":
            directory = fetch(arguments.name, say=lambda line: print(line, file=sys.stderr))
            print(directory)
        else:
            _list(as_json=arguments.json)
    except BaseModelError as error:
        print(f"basemodels: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m basemodels",
        description="Base models that need no model hub. Any local directory or Hub id of a "
        "supported architecture works in their place wherever a base is asked for.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch", help="download and convert one, once")
    fetching.add_argument("name", help=f"one of: {', '.join(CATALOGUE)}")
    listing = commands.add_parser("list", help="what can be fetched, and what has been")
    listing.add_argument("--json", action="store_true", help="for programs")
    return parser


def _list(*, as_json: bool) -> None:
    rows = [
        {
            "name": entry.name,
            "hub_id": entry.hub_id,
            "licence": entry.licence,
            "parameters": entry.parameters,
            "fetched": (cache_root() / entry.name).is_dir(),
        }
        for entry in CATALOGUE.values()
    ]
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        state = "fetched" if row["fetched"] else "not fetched"
        millions = int(str(row["parameters"])) / 1e6
        print(f"{row['name']:28} {millions:6.0f}M  {row['licence']:12} {state:12} {row['hub_id']}")
