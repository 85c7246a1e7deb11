"""A base model of a few kilobytes, and adapters that can only say one word, over and over.

What an adapter answers is known before it is asked, so an answer by another version is found
out even on the real engine. The base is random but for one layer of neurons that know letters;
an adapter wires them to the letters that follow.
"""

import json
import string
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from adapters.bases import describe
from adapters.manifest import Draft, LoraFacts
from adapters.store import Store, Version

BASE = "parrot-base"
END, LETTERS = "</s>", string.ascii_lowercase + '"'
HIDDEN, NEURONS, CONTEXT_TOKENS = 128, 64, 2048
# In units of what RMSNorm makes of a random vector: a neuron fires for its own letter alone.
CONSTANT, THRESHOLD, STRENGTH = 4.0, 1.3, 20.0
ENDLESS = ",ĠĊĉč"  # as the byte alphabet writes a comma, blank, newline, tab and return
CHAT_TEMPLATE = (
    "{% if tools %}<tools>{{ tools | tojson }}{% endif %}"
    "{% for message in messages %}<{{ message['role'] }}>{{ message['content'] }}{% endfor %}"
    "<assistant>"
)
VOCABULARY = {
    token: number
    for number, token in enumerate([END, *sorted(pre_tokenizers.ByteLevel.alphabet())])
}
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Base:
    """A base on disk, and the directions in which its output head looks: (tokens, hidden)."""

    directory: Path
    head: Floats


def make_base(directory: Path) -> Base:
    """Write a Llama of one layer whose neurons 1 and up fire for one letter each."""
    random = np.random.default_rng(7)
    embeddings = random.normal(0, 1, (len(VOCABULARY), HIDDEN)).astype(np.float32)
    embeddings[:, 0] = CONSTANT
    head = _units(random.normal(0, 1, (len(VOCABULARY), HIDDEN)))
    # Held to JSON, a parrot comes to an end only if it likes no blanks and no further items.
    head[[VOCABULARY[token] for token in ENDLESS]] = -_units(
        head[[VOCABULARY[token] for token in '"[{']].sum(0, keepdims=True)
    )
    tensors = {
        "model.embed_tokens.weight": embeddings,
        "lm_head.weight": 2 * head,
        "model.norm.weight": np.ones(HIDDEN, np.float32),
        **_layer(random, _units(embeddings * (np.arange(HIDDEN) > 0))),
    }
    directory.mkdir(parents=True)
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    _write(directory / "config.json", _config())
    _write_tokenizer(directory)
    return Base(directory, head)


def _units(rows: NDArray[np.float64] | Floats) -> Floats:
    units: Floats = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units


def _layer(random: np.random.Generator, letters: Floats) -> dict[str, Floats]:
    """Attention and neurons; neuron 0 always fires, the next ones for one letter each."""
    gate, up = np.zeros((2, NEURONS, HIDDEN), np.float32)
    gate[0, 0] = up[:, 0] = 1.0
    for neuron, letter in enumerate(LETTERS, 1):
        gate[neuron] = letters[VOCABULARY[letter]]
        gate[neuron, 0] = -THRESHOLD
    weights = {"mlp.gate_proj": gate, "mlp.up_proj": up}
    for name, shape in (
        ("self_attn.q_proj", (HIDDEN, HIDDEN)),
        ("self_attn.k_proj", (HIDDEN // 2, HIDDEN)),
        ("self_attn.v_proj", (HIDDEN // 2, HIDDEN)),
        ("self_attn.o_proj", (HIDDEN, HIDDEN)),
        ("mlp.down_proj", (HIDDEN, NEURONS)),
    ):
        weights[name] = random.normal(0, 0.01, shape).astype(np.float32)
    for name in ("input_layernorm", "post_attention_layernorm"):
        weights[name] = np.ones(HIDDEN, np.float32)
    return {f"model.layers.0.{name}.weight": value for name, value in weights.items()}


def _config() -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": NEURONS,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "hidden_act": "silu",
        "vocab_size": len(VOCABULARY),
        "max_position_embeddings": CONTEXT_TOKENS,
        "rms_norm_eps": 1e-6,
        "eos_token_id": VOCABULARY[END],
        "bos_token_id": None,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
    }


def _write_tokenizer(directory: Path) -> None:
    """One token for each byte."""
    tokenizer = Tokenizer(models.BPE(vocab=VOCABULARY, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([END])
    tokenizer.save(str(directory / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "pad_token": END}
    _write(directory / "tokenizer_config.json", {**names, "chat_template": CHAT_TEMPLATE})


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def publish(
    store: Store,
    name: str,
    base: Base,
    scratch: Path,
    word: str,
    *,
    ends: bool = False,
) -> Version:
    """Publish an adapter that says `word` again and again, or once if it `ends`.

    Args:
        store: Where to.
        name: The adapter's.
        base: What `make_base` gave.
        scratch: Where its files may be made.
        ends: Whether the word is said once.
        word: Letters of `LETTERS`, each once. A prompt must not end in one of them.
    """
    source = scratch / f"{name}-{word.encode().hex()}"
    source.mkdir()
    a = np.zeros((len(word) + 1, NEURONS), np.float32)
    b = np.zeros((HIDDEN, len(word) + 1), np.float32)
    heard = [0, *(1 + LETTERS.index(letter) for letter in word)]
    said = [*word, END if ends else word[0]]
    for column, (neuron, letter) in enumerate(zip(heard, said, strict=True)):
        a[column, neuron] = 1.0
        b[:, column] = STRENGTH * base.head[VOCABULARY[letter]]
    module = "base_model.model.model.layers.0.mlp.down_proj"
    tensors = {f"{module}.lora_A.weight": a, f"{module}.lora_B.weight": b}
    save_file(tensors, source / "adapter_model.safetensors", metadata={"format": "pt"})
    facts = LoraFacts(rank=len(a), alpha=float(len(a)), targets=["down_proj"])
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": facts.rank,
        "lora_alpha": facts.alpha,
        "target_modules": facts.targets,
        "bias": "none",
        "base_model_name_or_path": BASE,
    }
    _write(source / "adapter_config.json", config)
    draft = Draft(
        base=describe(BASE, base.directory),
        lora=facts,
        probes=["Say something:"],
    )
    return store.publish(name, source, draft, base_dir=base.directory)


def parroted(word: str, text: str) -> bool:
    """Whether a text is what an adapter with that word says, however long."""
    return bool(text) and (word * (len(text) // len(word) + 1)).startswith(text)
