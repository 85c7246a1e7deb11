"""`python -m training.pretrain --rows DIR [--flags]`: raw text in, a published adapter version out.

The first stage of two: `training.sft --continue-from NAME@N` goes on with rows.
Exit codes are those of `training.command`.
"""

from collections.abc import Sequence

from training.command import train
from training.recipe import PretrainRecipe


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return train("pretrain", PretrainRecipe, argv)


if __name__ == "__main__":
    raise SystemExit(main())
