"""Merged weights answer like base + adapter, for both ways of storing a linear layer."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters import bases, merging
from adapters.errors import ExportRefused
from adapters.manifest import Draft, LoraFacts, PromptForm
from adapters.merging import merge
from adapters.store import Store, Version

MODELS: dict[str, dict[str, object]] = {
    "llama": {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
    },
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
}
TARGETS = {"llama": ["q_proj", "down_proj"], "gpt2": ["c_attn", "c_proj"]}


@pytest.fixture(params=MODELS)
def made(request: pytest.FixtureRequest, store: Store, tmp_path: Path) -> tuple[Version, Path, Any]:
    """A random base, and an adapter for it trained nowhere, made by PEFT."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    ids = {"vocab_size": 64, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    config = AutoConfig.for_model(request.param, **MODELS[request.param], **ids)
    base = AutoModelForCausalLM.from_config(config)
    # Several files, so that the index matters.
    base.save_pretrained(tmp_path / "base", max_shard_size="20KB")
    (tmp_path / "base" / "tokenizer.json").write_text("{}")
    lora = LoraConfig(r=4, lora_alpha=8, target_modules=TARGETS[request.param])
    model = get_peft_model(base, lora)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(tmp_path / "source")
    draft = Draft(
        base=bases.describe("base", tmp_path / "base"),
        lora=LoraFacts(rank=4, alpha=8, targets=TARGETS[request.param]),
        prompt=PromptForm(template="{{ messages[-1].content }}"),
    )
    version = store.publish("a", tmp_path / "source", draft, base_dir=tmp_path / "base")
    return version, tmp_path / "base", model.eval()


@pytest.mark.filterwarnings("ignore")
def test_merged_answers_like_unmerged(made: tuple[Version, Path, Any], tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    version, base, model = made
    target = merge(version, base, tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(target)
    assert merged.dtype == torch.bfloat16
    tokens = torch.arange(12)[None]
    with torch.no_grad(), model.disable_adapter():
        plain = model(tokens).logits
    with torch.no_grad():
        expected = model(tokens).logits
        found = merged.float()(tokens).logits
    # bfloat16 keeps 8 bits; the adapter moves the answers much further than that rounding.
    moved = (plain - expected).abs().max()
    assert moved > 0.1
    assert (found - expected).abs().max() < 0.05 * moved
    assert {oct(path.stat().st_mode & 0o777) for path in target.glob("*.safetensors")} == {"0o644"}
    assert (target / "chat_template.jinja").read_text() == "{{ messages[-1].content }}"
    assert len(list(target.glob("*.safetensors"))) == len(list(base.glob("*.safetensors"))) > 1


@pytest.mark.filterwarnings("ignore")
def test_refused_merges_leave_nothing(
    made: tuple[Version, Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, base, _ = made
    with pytest.raises(ExportRefused, match="it exists"):
        merge(version, base, base)
    monkeypatch.setattr(merging, "_available_bytes", lambda: 10)
    with pytest.raises(ExportRefused, match="GB of memory are needed"):
        merge(version, base, tmp_path / "merged")
    monkeypatch.undo()
    weights = sorted(base.glob("*.safetensors"))
    for path in weights[1:]:
        path.unlink()
    with pytest.raises(ExportRefused, match="the base has no weights for"):
        merge(version, base, tmp_path / "merged")
    weights[0].unlink()
    with pytest.raises(ExportRefused, match=r"the base has no \*\.safetensors"):
        merge(version, base, tmp_path / "merged")
    assert not list(tmp_path.glob("*merged*"))


def test_room_is_looked_for_where_linux_keeps_it() -> None:
    assert merging._available_bytes() > 1 << 20


def test_a_container_has_no_more_room_than_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "CGROUP", tmp_path)
    whole = merging._available_bytes()
    (tmp_path / "memory.current").write_text("3000\n")
    (tmp_path / "memory.stat").write_text("anon 7\ninactive_file 500\nactive_file 9\n")
    (tmp_path / "memory.max").write_text("4000\n")
    assert merging._available_bytes() == 4000 - 3000 + 500
    for limit in ("max\n", f"{1 << 60}\n"):
        (tmp_path / "memory.max").write_text(limit)
        assert merging._available_bytes() > whole / 2


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]) << 20,) * 2)
from adapters.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("limit_mib", [300, 900])
def test_a_process_may_have_a_limit_of_its_own(
    made: tuple[Version, Path, Any], tmp_path: Path, limit_mib: int
) -> None:
    version, base, _ = made
    command = ["merge", str(version), str(tmp_path / "merged"), "--base", str(base)]
    command += ["--store", str(tmp_path / "store")]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit_mib), *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 2 or (tmp_path / "merged").is_dir(), done.stderr
    if done.returncode:
        assert "memory" in done.stderr
        assert not list(tmp_path.glob("*merged*"))
