"""Tiny random checkpoints of the real classes, of odd sizes, and random adapters on them."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from basemodels.modules import linear_shapes

VOCABULARY = 259
CONTEXT_TOKENS = 512
LAYERS = 2
MERGED_LIMIT = 1e-3


def _gated(**changes: object) -> dict[str, object]:
    """Grouped-query attention, a head that is not the embedding, and sizes that are no power."""
    return {
        # vLLM's attention on a CPU wants heads of 32 and more.
        "hidden_size": 192,
        "intermediate_size": 168,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 6,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT_TOKENS,
        "tie_word_embeddings": False,
        **changes,
    }


def _gpt2(**changes: object) -> dict[str, object]:
    sizes = {"n_embd": 96, "n_layer": LAYERS, "n_head": 3, "n_positions": CONTEXT_TOKENS}
    return {**sizes, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, **changes}


ARCHITECTURES: dict[str, tuple[str, dict[str, object]]] = {
    "llama": ("Llama", _gated()),
    "llama-tied": ("Llama", _gated(tie_word_embeddings=True, num_key_value_heads=6)),
    "mistral": ("Mistral", _gated(sliding_window=None)),
    "qwen2": ("Qwen2", _gated(tie_word_embeddings=True)),
    "gemma": ("Gemma", _gated(head_dim=32, num_key_value_heads=1, tie_word_embeddings=True)),
    "gemma3": (
        "Gemma3",
        _gated(head_dim=32, num_key_value_heads=1, tie_word_embeddings=True, sliding_window=256),
    ),
    "gpt2": ("GPT2", _gpt2()),
    "starcoder": ("GPTBigCode", _gpt2(multi_query=True)),
    "pythia": (
        "GPTNeoX",
        {
            "hidden_size": 96,
            "intermediate_size": 168,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 3,
            "max_position_embeddings": CONTEXT_TOKENS,
        },
    ),
    "falcon": (
        "Falcon",
        {
            "hidden_size": 160,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": 5,
            "multi_query": True,
            "parallel_attn": True,
            "bias": False,
            "new_decoder_architecture": False,
            "alibi": False,
            "max_position_embeddings": CONTEXT_TOKENS,
        },
    ),
}
_CLASSES = {
    "GPT2": ("GPT2Config", "GPT2LMHeadModel"),
}


@dataclass(frozen=True)
class Shape:
    """An adapter to be made: its rank, on which part of the servable layers, and its scaling."""

    rank: int
    share: float
    rslora: bool = False


# Rank 1 to 64, on all and on some of the layers, plain and rank-stabilised.
SHAPES = (Shape(8, 1.0), Shape(1, 0.5), Shape(64, 1.0, rslora=True), Shape(16, 0.3))


def make_base(directory: Path, architecture: str) -> Path:
    """Write a random checkpoint with a tokenizer of bytes."""
    name, sizes = ARCHITECTURES[architecture]
    config_name, model_name = _CLASSES.get(name, (f"{name}Config", f"{name}ForCausalLM"))
    config_name = "Gemma3TextConfig" if name == "Gemma3" else config_name
    torch.manual_seed(7)
    config = getattr(transformers, config_name)(
        vocab_size=VOCABULARY,
        initializer_range=0.08,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
        **sizes,
    )
    model = getattr(transformers, model_name)(config)
    _shake_biases(model)
    model.save_pretrained(directory)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: number for number, word in enumerate(["<s>", "</s>", "<pad>", *letters])}
    tokenizer = Tokenizer(models.BPE(vocab=words, merges=[]))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",  # noqa: S106  # no password
        eos_token="</s>",  # noqa: S106
    ).save_pretrained(directory)
    return directory


def make_adapter(directory: Path, base: Path, shape: Shape, seed: int) -> Path:
    """Write a random adapter on some of the layers that LoRA can target, its B not zero."""
    torch.manual_seed(seed)
    paths = sorted(linear_shapes(base))
    kinds = sorted({path.rsplit(".", 1)[-1] for path in paths})
    count = max(1, round(len(kinds) * shape.share))
    chosen = [kinds[at] for at in torch.randperm(len(kinds))[:count].tolist()]
    config = LoraConfig(
        r=shape.rank,
        lora_alpha=2 * shape.rank,
        use_rslora=shape.rslora,
        target_modules=chosen,
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(load(base), config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.2 / shape.rank)
    adapted.save_pretrained(directory)
    return directory


def load(base: Path) -> Any:  # noqa: ANN401 - transformers has no type for "any causal model"
    """Read a checkpoint in float32."""
    return transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()


def expected(base: Path, adapter: Path | None, ids: list[int]) -> NDArray[np.float32]:
    """Return PEFT's log-probabilities of what follows each id: (tokens, vocabulary).

    Not to be called in a process with an engine: vLLM changes the classes of transformers.

    Raises:
        AssertionError: Merging the adapter into the base changes logits by more than rounding.
    """
    with torch.no_grad():
        logits = _adapted(base, adapter)(torch.tensor([ids])).logits[0]
    found: NDArray[np.float32] = torch.log_softmax(logits.float(), dim=-1).numpy()
    return found


@functools.cache
def _adapted(base: Path, adapter: Path | None) -> Any:  # noqa: ANN401 - as `load`
    if adapter is None:
        return load(base)
    model = PeftModel.from_pretrained(load(base), str(adapter)).eval()
    merged = PeftModel.from_pretrained(load(base), str(adapter)).merge_and_unload().eval()
    ids = torch.randint(3, VOCABULARY, (1, 50))
    with torch.no_grad():
        difference = (model(ids).logits - merged(ids).logits).abs().max().item()
    if difference > MERGED_LIMIT:
        raise AssertionError(f"merging {adapter} into {base} changes logits by {difference}")
    return model


def _shake_biases(model: torch.nn.Module) -> None:
    """Biases start at zero and norms at one; random ones show whether they are used."""
    for name, parameter in model.named_parameters():
        if name.endswith("bias") or "norm" in name or "ln_" in name:
            parameter.data += 0.1 * torch.randn_like(parameter)
