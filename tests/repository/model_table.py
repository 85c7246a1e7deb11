"""The README's table of base models: what fits a 4090, and how exact LoRA is on each architecture.

`python tests/repository/model_table.py` prints it; with `--write` it goes into README.md. Exactness
is read from the table in docs/bases.md, which `python -m benchmarks parity` measured.
"""

import re
import sys
from pathlib import Path

from basemodels import CATALOGUE
from basemodels.devices import device
from basemodels.listing import facts

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- models -->\n)(.*?)(<!-- /models -->)", re.DOTALL)
MEASURED = ROOT / "docs" / "bases.md"
# Rows of the measured table, by the class of transformers.
ROW_OF = {
    "LlamaForCausalLM": "Llama",
    "MistralForCausalLM": "Mistral",
    "Qwen2ForCausalLM": "Qwen2",
    "GemmaForCausalLM": "Gemma",
    "Gemma3ForCausalLM": "Gemma 3",
    "GPT2LMHeadModel": "GPT-2",
    "GPTBigCodeForCausalLM": "StarCoder (GPTBigCode)",
    "GPTNeoXForCausalLM": "Pythia (GPTNeoX)",
    "FalconForCausalLM": "Falcon-7B",
}

TIED_LLAMA = "Llama, head tied, plain attention"


def measured() -> dict[str, float]:
    """The largest difference from PEFT by row of the measured table, in nats."""
    found = {}
    for line in MEASURED.read_text(encoding="utf-8").splitlines():
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and all(re.fullmatch(r"\d\.\de-\d", cell) for cell in cells):
            found[name] = max(map(float, cells))
    return found


def render() -> str:
    """One line for each model of the catalogue."""
    card, worst = device("4090"), measured()
    lines = [
        "| base | weights | served | LoRA | QLoRA | largest difference from PEFT | licence |",
        "|---|---:|---|---|---|---:|---|",
    ]
    for entry in CATALOGUE.values():
        row = facts(entry, card)
        fits = row["fits"]
        assert isinstance(fits, dict)
        cells = [_verdict(fits[use]) for use in ("serve", "lora", "qlora")]
        tied_llama = row["architecture"] == "LlamaForCausalLM" and entry.config.get(
            "tie_word_embeddings"
        )
        difference = worst[TIED_LLAMA if tied_llama else ROW_OF[str(row["architecture"])]]
        licence = entry.licence + (" (gated)" if entry.gated else "")
        lines.append(
            f"| `{entry.name}` | {entry.parameters / 1e9:.2f} B | {' | '.join(cells)} "
            f"| {difference:.1e} | {licence} |".replace("e-0", "e-")
        )
    return "\n".join(lines) + "\n"


def _verdict(verdict: object) -> str:
    assert isinstance(verdict, dict)
    if not verdict["fits"]:
        return "no"
    return {"nf4": "4 bit", "fp8": "8 bit"}.get(verdict["dtype"], "16 bit")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        text = README.read_text(encoding="utf-8")
        text = BLOCK.sub(lambda found: found[1] + render() + found[3], text)
        README.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(render())
