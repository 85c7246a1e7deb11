"""From a trained PEFT directory to a published version: probes, card, and the facts of the run.

What the store does with a draft is its own business; nothing here writes into a store.
"""

import importlib.metadata
import json
import platform
from collections.abc import Sequence
from pathlib import Path

from adapters.layout import CARD, CONFIG
from adapters.manifest import Draft, RunFacts
from training.job import Outcome
from training.plot import plot_losses

PACKAGES = ("accelerate", "peft", "tokenizers", "torch", "transformers", "trl")
LOSS_PLOT = "loss.png"
PROBES = 4
MAX_PROBE_CHARACTERS = 2000


def choose_probes(prompts: Sequence[str]) -> list[str]:
    """Choose a few worded prompts that stand for the rows.

    Short ones, spread over the lengths there are, since a service asks them at every docking.

    Args:
        prompts: Prompts of the training rows as the model sees them.
    """
    usable = sorted(
        {prompt for prompt in prompts if len(prompt) <= MAX_PROBE_CHARACTERS},
        key=lambda prompt: (len(prompt), prompt),
    )
    shorter = usable[: max(PROBES, len(usable) // 2)]
    return shorter[:: max(1, len(shorter) // PROBES)][:PROBES]


def run_facts(*, seed: int, seconds: float, hardware: str) -> RunFacts:
    """Say how a version was trained; `seconds` is the time in the training loop."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    packages["python"] = platform.python_version()
    return RunFacts(seed=seed, seconds=round(seconds, 1), packages=packages, hardware=hardware)


def name_base(adapter_dir: Path, base: str) -> None:
    """Write what people call the base model where PEFT noted a path of this machine."""
    path = adapter_dir / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = base
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_card(adapter_dir: Path, name: str, draft: Draft) -> None:
    """Write the README that travels with a version, for people; programs read the manifest."""
    settings = "\n".join(f"| {key} | {_cell(value)} |" for key, value in draft.training.items())
    data = draft.data
    rows = f"{data.rows} rows (sha256 `{data.content_sha256[:16]}`)" if data else "unknown rows"
    template = draft.prompt.template or "the base model's own"
    card = f"""---
base_model: {draft.base.id}
library_name: peft
tags: [lora]
---
# {name}

A LoRA adapter (rank {draft.lora.rank}, alpha {draft.lora.alpha:g}) for {draft.base.id}, trained on {rows}\
{f", continuing {draft.parent}" if draft.parent else ""}.

![loss]({LOSS_PLOT})

Prompt template:

```jinja
{template}
```

| setting | value |
|---|---|
{settings}
"""
    (adapter_dir / CARD).write_text(card, encoding="utf-8")


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("|", "\\|").replace("\n", " ")


def finish(outcome: Outcome, name: str, draft: Draft) -> None:
    """Make the directory that PEFT wrote ready for a store: card, plot, name of the base."""
    name_base(outcome.adapter_dir, draft.base.id)
    write_card(outcome.adapter_dir, name, draft)
    plot_losses(
        outcome.losses,
        outcome.adapter_dir / LOSS_PLOT,
        title=f"{name}: {draft.base.id}, {draft.data.rows if draft.data else 0} rows",
        held_out=outcome.held_out_loss,
    )
