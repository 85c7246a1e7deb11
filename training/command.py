"""The command line that every stage of training has: settings in, an exit code out.

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
from training.allocator import bound_product_caches
from training.errors import RunStopped, TrainingError
from training.recipe import REFUSED, RunRecipe
from training.stopping import stop_on_signals

# Read by libraries when they are imported: nothing is reported to anybody.
QUIET = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "true",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}


def train(stage: str, settings: type[RunRecipe], argv: Sequence[str] | None) -> int:
    """Run the command of a stage and return its exit code.

    Args:
        stage: Its module, `sft` for example.
        settings: What it can be told.
        argv: The command line; that of the process if not given.
    """
    prog = f"training.{stage}"
    console = Console(highlight=False, soft_wrap=True, quiet=os.environ.get("RANK", "0") != "0")
    errors = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    quieten()
    try:
        recipe = load(
            settings,
            sys.argv[1:] if argv is None else argv,
            prog=f"python -m {prog}",
            file_flag="--recipe",
            refused=REFUSED,
        )
        with stop_on_signals(lambda heard: errors.print(f"{prog}: {heard}")) as stop:
            # Torch and transformers take seconds; --help and a wrong flag need not wait for them.
            from training.run import run  # noqa: PLC0415

            try:
                run(recipe, console, stop)
            except RunStopped as stopped:
                errors.print(f"{prog}: {stopped}")
                return 128 + (stop.signal or 0)
    except (TrainingError, ConfigurationError, BaseModelError, AdapterError) as error:
        errors.print(f"{prog}: {error}")
        return 2
    except KeyboardInterrupt:
        errors.print(f"{prog}: stopped before the first checkpoint; nothing was published.")
        return 130
    return 0


def quieten() -> None:
    """Keep libraries from reporting to anybody, warning of what does not matter, and hoarding."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    bound_product_caches()
    # PEFT looks for the base on the Hub at every save; bitsandbytes misses kernels nobody uses here.
    warnings.filterwarnings("ignore", message="Could not find a config file in")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
