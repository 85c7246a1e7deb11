"""A verdict for a device that is not here, and for a base of which there is only `config.json`.

Tokens are counted by the base's tokenizer where it is there, else guessed from the bytes of the
rows; everything else is the arithmetic of `training.memory`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from basemodels import resolve
from basemodels.modules import read_config
from basemodels.sizes import Sizes, sizes_of
from basemodels.training_memory import Setup, memory_parts
from training import memory
from training.errors import RunRefused
from training.memory import Machine
from training.planning import columns_of, lora_of
from training.preparing import refuse
from training.progress import duration
from training.recipe import PretrainRecipe, Recipe, RunRecipe
from training.rows import Row, Sheet, read_rows
from training.tasks import TASKS
from training.verdict import Needs, gigabytes, show_needs, what_fits

# English has about 4 bytes a token and Chinese about 3; a low number errs towards more tokens.
BYTES_PER_TOKEN = 3


class Lengths(NamedTuple):
    """Tokens of rows: all of each, and of them those that are trained."""

    whole: list[int]
    trained: list[int]


def show(recipe: RunRecipe, console: Console) -> None:
    """Print what a run would take on a device that is not here.

    Raises:
        TrainingError: The rows cannot be read, or the run does not fit the device.
        BaseModelError: The base model's configuration cannot be read.
        AdapterRefused: The gate speaks against the LoRA.
    """
    base_dir = _base_dir(recipe.base)
    lora_of(recipe, base_dir, None)
    sheet = _sheet(recipe)
    refuse(sheet, recipe.bad_rows)
    lengths = guess_lengths(sheet.rows)
    sizes, machine = sizes_of(read_config(base_dir)), memory.ON_PAPER[recipe.device]
    setup = setup_of(recipe, lengths)
    needs = needs_of(recipe, lengths, sizes, setup, machine)
    console.print(
        f"Rows:     {len(sheet.rows)} of {sheet.count} kept, about {sum(lengths.whole):,} tokens "
        f"(guessed, {BYTES_PER_TOKEN} bytes each)\n"
        f"Base:     {sizes.parameters:,} weights by config.json\n"
        f"Adapter:  rank {recipe.rank}, {gigabytes(4 * recipe.rank * sizes.lora_per_rank)}; "
        f"the gate accepts it\n"
        f"Device:   {recipe.device}, on paper; {setup.dtype}, base in {recipe.quantise or setup.dtype}"
    )
    show_needs(needs, machine, console)
    if needs.memory_bytes > machine.memory_bytes:
        raise RunRefused(
            f"The run does not fit a {recipe.device}. It needs about "
            f"{gigabytes(needs.memory_bytes)}. {what_fits(sizes, setup, machine)}"
        )


def _base_dir(base: str) -> Path:
    """A directory with `config.json`; weights are not asked for."""
    local = Path(base).expanduser()
    return local if (local / "config.json").is_file() else resolve(base)


def _sheet(recipe: RunRecipe) -> Sheet:
    if isinstance(recipe, Recipe):
        return read_rows(recipe.rows, TASKS[recipe.task], columns_of(recipe))
    return read_rows(recipe.rows, TASKS["raw"], {})


def guess_lengths(rows: Sequence[Row]) -> Lengths:
    """Guess the tokens of rows from their bytes."""
    trained = [1 + len(row.output.encode()) // BYTES_PER_TOKEN for row in rows]
    prompts = [len(row.prompt.encode()) // BYTES_PER_TOKEN for row in rows]
    return Lengths([sum(each) for each in zip(prompts, trained, strict=True)], trained)


def setup_of(recipe: RunRecipe, lengths: Lengths) -> Setup:
    """The choices of a run that decide what it takes, before anything is tokenised."""
    pretrains = isinstance(recipe, PretrainRecipe)
    longest = recipe.max_length_tokens if pretrains else max(lengths.whole)
    average = sum(lengths.whole) / len(lengths.whole)
    filled = recipe.max_tokens_per_batch if pretrains else int(recipe.batch_rows * average)
    return Setup(
        rank=recipe.rank,
        # A device of the list has it.
        dtype="bfloat16" if recipe.dtype == "auto" else recipe.dtype,
        quantise=recipe.quantise,
        optimizer=recipe.optimizer,
        gradient_checkpointing=recipe.gradient_checkpointing,
        tokens_at_once=max(longest, min(recipe.max_tokens_per_batch, filled)),
        longest_tokens=longest,
    )


def needs_of(
    recipe: RunRecipe, lengths: Lengths, sizes: Sizes, setup: Setup, machine: Machine
) -> Needs:
    """Estimate what a run takes."""
    share = 1.0
    if recipe.max_steps is not None:
        share = min(
            1.0, recipe.max_steps * recipe.batch_rows / (recipe.epochs * len(lengths.whole))
        )
    passes = recipe.epochs * share
    seconds = memory.seconds(
        sizes,
        setup,
        machine,
        round(passes * sum(lengths.whole)),
        round(passes * sum(lengths.trained)),
    )
    return Needs(memory_parts(sizes, setup, machine.runtime_bytes), 0, seconds)


def row_of(name: str, recipe: RunRecipe, base_dir: Path) -> str:
    """One line of the table in docs/training.md: memory and time for a million tokens, half trained."""
    lengths = Lengths([500] * 2000, [250] * 2000)
    machine = memory.ON_PAPER["4090"]
    sizes = sizes_of(read_config(base_dir))
    setup = setup_of(recipe, lengths)
    full = replace(setup, tokens_at_once=recipe.max_tokens_per_batch)
    parts = memory_parts(sizes, full, machine.runtime_bytes)
    seconds = memory.seconds(sizes, full, machine, 1_000_000, 500_000)
    return (
        f"| `{name}` | {recipe.base} | {(sizes.parameters) / 1e9:.2f} B "
        f"| {recipe.quantise or 'bf16'} | {parts['base'] / 1e9:.1f} "
        f"| {parts['activations'] / 1e9:.1f} | {sum(parts.values()) / 1e9:.1f} GB "
        f"| {duration(seconds)} |"
    )
