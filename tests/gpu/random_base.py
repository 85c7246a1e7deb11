"""Bases of the catalogue's real sizes with random weights, made here: nothing is downloaded.

`python -m tests.gpu.random_base DIRECTORY NAME` draws the numbers on the card, in a process of its
own. Written tensor by tensor, so that it needs memory for the largest of them alone.
"""

import json
import subprocess
import sys
from pathlib import Path

from basemodels import CATALOGUE
from basemodels.modules import Config
from tests.gpu.card import ROOT
from tests.training.tiny_base import write_tokenizer

TIMEOUT_S = 600
SPREAD = 0.02
# At first every token is about as likely, as in training from nothing.
HEAD_SPREAD = 0.005


def make_base(directory: Path, name: str) -> Path:
    """Have a base of the catalogue written, so that this process keeps nothing of the card."""
    command = [sys.executable, "-m", "tests.gpu.random_base", str(directory), name]
    subprocess.run(command, cwd=ROOT, check=True, timeout=TIMEOUT_S)
    return directory


def write_base(directory: Path, sizes: Config, device: str) -> None:
    """Write a model in bfloat16, with a tokenizer of bytes and of words that no text has.

    Args:
        directory: A new one.
        sizes: As in `config.json`.
        device: Where the numbers are drawn.
    """
    import torch
    import transformers
    from safetensors.torch import save_file

    vocabulary, architectures = sizes["vocab_size"], sizes["architectures"]
    assert isinstance(vocabulary, int)
    assert isinstance(architectures, list)
    write_tokenizer(directory, adds_bos=False, words=vocabulary - 2)
    architecture = getattr(transformers, architectures[0])
    config = architecture.config_class(
        **sizes,
        # Mistral's class has a window by default, which the later models have not.
        **({"sliding_window": None} if "Mistral" in architecture.__name__ else {}),
        eos_token_id=vocabulary - 2,
        bos_token_id=vocabulary - 1,
        pad_token_id=None,
        dtype="bfloat16",
    )
    config.save_pretrained(directory)
    with torch.device("meta"):
        shapes = {name: weight.shape for name, weight in architecture(config).state_dict().items()}
    if config.tie_word_embeddings:
        del shapes["lm_head.weight"]
    torch.manual_seed(0)
    files = {name: f"{number:04}.safetensors" for number, name in enumerate(shapes)}
    for name, shape in shapes.items():
        spread = HEAD_SPREAD if name == "lm_head.weight" else SPREAD
        drawn = torch.empty(shape, device=device, dtype=torch.bfloat16).normal_(std=spread)
        weight = torch.ones_like(drawn) if "norm" in name else drawn
        save_file({name: weight.cpu()}, directory / files[name], metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": files}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


if __name__ == "__main__":
    write_base(Path(sys.argv[1]), CATALOGUE[sys.argv[2]].config, "cuda")
