"""`python -m training.sft --recipe FILE [--flags]`: rows in, a published adapter version out.

Everything that can be known before the weights are loaded is checked first and said at once.
Exit codes: 0 done, 2 refused or failed (one message says why), 130 or 143 stopped and resumable.
"""

import logging
import os
import sys
import warnings
from collections.abc import Sequence

from rich.console import Console

from adapters.errors import AdapterError
from basemodels.errors import BaseModelError
from configuration import ConfigurationError, load
from training.errors import RunStopped, TrainingError
from training.recipe import Recipe
from training.stopping import stop_on_signals

# Read by libraries when they are imported: nothing is reported to anybody.
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "true",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    console = Console(highlight=False, soft_wrap=True)
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # PEFT looks for the base on the Hub at every save; bitsandbytes misses kernels nobody uses here.
    warnings.filterwarnings("ignore", message="Could not find a config file in")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    try:
        recipe = load(
            Recipe,
            sys.argv[1:] if argv is None else argv,
            prog="python -m training.sft",
            file_flag="--recipe",
        )
        with stop_on_signals() as stop:
            # Torch and transformers take seconds; --help and a wrong flag need not wait for them.
            from training.run import run  # noqa: PLC0415

            try:
                run(recipe, console, stop)
            except RunStopped as stopped:
                errors.print(f"training.sft: {stopped}")
                return 128 + (stop.signal or 0)
    except (TrainingError, ConfigurationError, BaseModelError, AdapterError) as error:
        errors.print(f"training.sft: {error}")
        return 2
    except KeyboardInterrupt:
        errors.print("training.sft: stopped before the first checkpoint; nothing was published.")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
