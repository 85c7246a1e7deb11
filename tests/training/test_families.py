"""Every architecture goes from rows to a published version that the gate accepts and PEFT loads."""

from pathlib import Path

import pytest
import torch
import transformers
from peft import PeftModel

from adapters import gate
from adapters.store import Store
from tests.training.tiny_base import write_recipe, write_sums, write_tokenizer
from tests.training.tiny_models import CONFIGS, FAMILIES
from training.encode import encode
from training.preparing import load_tokenizer
from training.prompts import word
from training.rows import read_rows
from training.sft import main
from training.tasks import TASKS

# transformers' GPTBigCode compiles two functions with torch.jit when it is imported.
pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated"),
    pytest.mark.filterwarnings("ignore:fan_in_fan_out is set to"),
]


def build(family: str, directory: Path) -> Path:
    write_tokenizer(directory, adds_bos=False)
    torch.manual_seed(0)
    config = CONFIGS[family]()
    config.bos_token_id, config.eos_token_id = 257, 256
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(directory)
    return directory


def plain_loss(base: Path, adapter: Path, rows: Path) -> float:
    """By PEFT's own layers and the model's own loss, row by row, weighted by trained tokens."""
    whole = transformers.AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager")
    model = PeftModel.from_pretrained(whole, adapter).eval()
    tokenizer, task = load_tokenizer(base), TASKS["pseudocode"]
    examples = encode(read_rows(rows, task, {}).rows, tokenizer, word(task, tokenizer).render)
    total = trained = 0.0
    for example in examples:
        ids, labels = torch.tensor([example.input_ids]), torch.tensor(example.labels)
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, labels[1:], reduction="sum"))
        trained += int((labels[1:] != -100).sum())
    return total / trained


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_become_a_version_that_computes_what_was_trained(family: str, tmp_path: Path) -> None:
    base = build(family, tmp_path / "base")
    rows, held_out = write_sums(tmp_path / "rows.csv"), write_sums(tmp_path / "held.csv", start=7)
    recipe = write_recipe(tmp_path, base, rows)
    flags = ["--eval-rows", str(held_out), "--eval-answers", "2", "--gradient-checkpointing"]
    assert main(["--recipe", str(recipe), *flags]) == 0
    version = Store(tmp_path / "store").resolve("sums@1")
    assert gate.check(version.path, base) == []
    recorded = version.manifest.training["held_out_loss"]
    assert plain_loss(base, version.path, held_out) == pytest.approx(recorded, abs=2e-3)
