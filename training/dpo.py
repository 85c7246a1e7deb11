"""`python -m training.dpo --rows FILE [--flags]`: preferences in, a published adapter version out.

Rows have a prompt, a chosen and a rejected answer; `--rejected-from` finds the rejected ones.
Exit codes are those of `training.command`.
"""

from collections.abc import Sequence

from training.command import train
from training.recipe import DpoRecipe


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return train("dpo", DpoRecipe, argv)


if __name__ == "__main__":
    raise SystemExit(main())
