"""`python -m training.data COMMAND ...`: what is done to rows before they are trained on.

Each command is a module with a `main` of its own; a new one is one line here.
"""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "check": ("training.data_check", "report everything wrong with a file of rows, by line"),
    "lineage": ("training.lineage.cli", "check, draw, measure and evaluate lineages; make rows"),
    "novel": ("training.novels.cli", "novels as raw text and rows for the continuation task"),
    "overlap": ("training.data_overlap", "find rows that repeat texts of other files"),
    "split": ("training.data_split", "hold rows out, whole groups at a time"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    name = arguments[0] if arguments else ""
    if name in COMMANDS:
        code: int = importlib.import_module(COMMANDS[name][0]).main(arguments[1:])
        return code
    listed = "\n".join(f"  {command:10} {words}" for command, (_, words) in COMMANDS.items())
    usage = f"usage: python -m training.data COMMAND ...\n\n{listed}\n\nCOMMAND --help says more."
    if name in ("-h", "--help"):
        print(usage)
        return 0
    got = f"no command {name!r}" if name else "a command is missing"
    print(f"training.data: {got}.\n{usage}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
