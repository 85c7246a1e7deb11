"""Tiny random models of every architecture that must train, with LoRA that has an effect."""

from typing import Any

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model

from training.batches import Part, make_parts
from training.encode import IGNORED, Example
from training.forward import attention_for

SIZES = {
    "vocab_size": 300,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
OLD_SIZES = {
    "vocab_size": 300,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
QUIET = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
GROUPED = {**SIZES, "num_key_value_heads": 2, "head_dim": 8}
CONFIGS: dict[str, Any] = {
    "llama": lambda: transformers.LlamaConfig(**GROUPED),
    "mistral": lambda: transformers.MistralConfig(**GROUPED, sliding_window=8),
    "qwen2": lambda: transformers.Qwen2Config(**GROUPED),
    "gemma": lambda: transformers.GemmaConfig(**GROUPED),
    "gemma3": lambda: transformers.Gemma3TextConfig(**GROUPED, sliding_window=8),
    "gpt_neox": lambda: transformers.GPTNeoXConfig(**SIZES),
    "falcon": lambda: transformers.FalconConfig(
        **{key: value for key, value in SIZES.items() if key != "intermediate_size"}
    ),
    "gpt2": lambda: transformers.GPT2Config(**OLD_SIZES, **QUIET),
    "gpt_bigcode": lambda: transformers.GPTBigCodeConfig(**OLD_SIZES, **QUIET),
}
FAMILIES = sorted(CONFIGS)


def tiny_model(family: str, attention: str | None = None, *, effect: bool = True) -> PeftModel:
    """A random base with a rank-4 adapter on all its linear layers, float32.

    Args:
        family: A key of `CONFIGS`.
        attention: An implementation of attention; the one that training uses if not given.
        effect: Whether B is random rather than zero.
    """
    torch.manual_seed(0)
    config = CONFIGS[family]()
    base = transformers.AutoModelForCausalLM.from_config(
        config, attn_implementation=attention or attention_for(config.model_type)
    )
    lora = LoraConfig(
        r=4, lora_alpha=8, target_modules="all-linear", fan_in_fan_out=family == "gpt2"
    )
    model = get_peft_model(base, lora)
    if effect:
        generator = torch.Generator().manual_seed(1)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.data = torch.randn(weight.shape, generator=generator) * 0.1
    return model.train()


def examples(*lengths: int, prompt_tokens: int = 4) -> list[Example]:
    """Random rows of given lengths whose first tokens are a prompt."""
    generator = torch.Generator().manual_seed(sum(lengths))
    made = []
    for line, length in enumerate(lengths, 2):
        ids = torch.randint(3, 300, (length,), generator=generator).tolist()
        labels = [IGNORED] * prompt_tokens + ids[prompt_tokens:]
        made.append(Example(line, ids, labels))
    return made


def parts_of(*lengths: int, max_tokens: int = 10_000) -> list[Part]:
    return make_parts(examples(*lengths), max_tokens)


def reference_loss(model: PeftModel, rows: list[Example]) -> torch.Tensor:
    """The plain way: one row at a time through the model's own forward, mean over trained tokens."""
    total = torch.zeros(())
    trained = 0
    for row in rows:
        logits = model(input_ids=torch.tensor([row.input_ids]), use_cache=False).logits[0]
        targets = torch.tensor([*row.labels[1:], IGNORED])
        total = total + torch.nn.functional.cross_entropy(
            logits.float(), targets, ignore_index=IGNORED, reduction="sum"
        )
        trained += int((targets != IGNORED).sum())
    return total / trained


def gradients(model: PeftModel) -> dict[str, torch.Tensor]:
    return {
        name: weight.grad.clone()
        for name, weight in model.named_parameters()
        if weight.grad is not None
    }
