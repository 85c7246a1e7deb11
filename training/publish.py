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


def choose_probes(prompts: Sequence[str], count: int = PROBES) -> list[str]:
    """Choose a few worded prompts that stand for the rows.

    Short ones, spread over the lengths there are, since a service asks them at every docking.

    Args:
        prompts: Prompts of the training rows as the model sees them.
        count: At most so many.
    """
    usable = sorted(
        {prompt for prompt in prompts if len(prompt) <= MAX_PROBE_CHARACTERS},
        key=lambda prompt: (len(prompt), prompt),
    )
    shorter = usable[: max(count, len(usable) // 2)]
    return shorter[:: max(1, len(shorter) // count)][:count]


def telling_probes(candidates: Sequence[str], differing: Sequence[bool]) -> list[str]:
    """Choose the probes whose answers the adapter changes; if it changes none, any.

    Args:
        candidates: From `choose_probes`.
        differing: Whether the adapter changes the answer of each.
    """
    telling = [probe for probe, differs in zip(candidates, differing, strict=True) if differs]
    return (telling or list(candidates))[:PROBES]


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
    settings = "\n".join(
        f"| {key} | {_cell(value)} |"
        for key, value in draft.training.items()
        if key != "evaluations"
    )
    data = draft.data
    measured = _measured(draft)
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
{measured}
Prompt template:

```jinja
{template}
```

| setting | value |
|---|---|
{settings}
"""
    (adapter_dir / CARD).write_text(card, encoding="utf-8")


def _measured(draft: Draft) -> str:
    """What held-out rows said of the adapter, as a table."""
    found = draft.training.get("evaluations")
    if not isinstance(found, list) or not found:
        return ""
    lines = [
        "".join(f"| {_cell(value)} " for value in finding.values()) + "|"
        for finding in found
        if isinstance(finding, dict)
    ]
    return "\nHeld-out rows:\n\n| step | loss | score |\n|---|---|---|\n" + "\n".join(lines) + "\n"


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
        held_out=[(finding.step, finding.loss) for finding in outcome.findings],
    )
