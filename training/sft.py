"""`python -m training.sft --recipe FILE [--flags]`: rows in, a published adapter version out.

Everything that can be known before the weights are loaded is checked first and said at once.
Exit codes are those of `training.command`.
"""

from collections.abc import Sequence

from training.command import train
from training.recipe import Recipe


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return train("sft", Recipe, argv)


if __name__ == "__main__":
    raise SystemExit(main())
