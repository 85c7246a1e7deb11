"""Builds a tiny random Llama with a tiny tokenizer, and rows that it can learn in seconds."""

import json
from pathlib import Path


def build_tiny_llama(directory: Path, *, adds_bos: bool = False) -> Path:
    """Write a random Llama with a byte-level tokenizer, from nothing."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    write_tokenizer(directory, adds_bos=adds_bos)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=257,
        eos_token_id=256,
        # Not the padding id: torch starts that row of the embedding, and so of the head, at zero.
        pad_token_id=None,
        tie_word_embeddings=True,
        # Wide enough that some token can be made certain.
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(directory)
    return directory


def write_tokenizer(directory: Path, *, adds_bos: bool, words: int = 256) -> None:
    """Write a byte-level BPE tokenizer without merges, with words that no text has, and two more."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    alphabet += [f"<{number}>" for number in range(len(alphabet), words)]
    vocabulary = {character: number for number, character in enumerate(alphabet)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<end>", "<begin>"])
    if adds_bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<begin> $A", special_tokens=[("<begin>", 257)]
        )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<begin>",  # noqa: S106 - tokens of text
        eos_token="<end>",  # noqa: S106
        pad_token="<end>",  # noqa: S106
    ).save_pretrained(directory)


def write_sums(path: Path, start: int = 1) -> Path:
    """Write 36 sums of two numbers as rows."""
    numbers = range(start, start + 6)
    lines = ["prompt,output"]
    lines += [f'{a} and {b}?,"t = {a} + {b}\nreturn t"' for a in numbers for b in numbers]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_recipe(folder: Path, base: Path, rows: Path, task: str | None = "pseudocode") -> Path:
    """Write a recipe whose store and run directory lie in `folder`."""
    path = folder / "recipe.yaml"
    settings = {
        "base": str(base),
        "rows": str(rows),
        "adapter": "sums",
        "store": str(folder / "store"),
        "run_dir": str(folder / "run"),
        "rank": 4,
        "alpha": 8,
        "learning_rate": 0.005,
        "batch_rows": 8,
        "epochs": 2,
        "dtype": "float32",
        "threads": 1,
        "checkpoint_every_steps": 4,
    }
    if task is not None:
        settings["task"] = task
    path.write_text(json.dumps(settings), encoding="utf-8")
    return path
