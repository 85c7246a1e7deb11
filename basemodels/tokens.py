"""BOS, EOS and padding of base models, settled once for training and for serving.

A tokenizer read from a GGUF file forgets that the model expects BOS before a text. Both sides read
the tokenizer from the same directory, so what is settled there holds for both.
"""

from typing import Protocol

from basemodels.catalogue import Tokens


class Tokenizer(Protocol):
    """What of a Hugging Face tokenizer is settled here."""

    bos_token: str | None
    eos_token: str | None
    pad_token: str | None
    add_bos_token: bool


def settle_bos(tokenizer: Tokenizer, tokens: Tokens) -> None:
    """Give a tokenizer the special tokens of its model, and let it put BOS before a text."""
    tokenizer.eos_token = tokens.eos
    if tokens.bos is not None:
        tokenizer.bos_token = tokens.bos
    if tokens.pad is not None:
        tokenizer.pad_token = tokens.pad
    if tokens.adds_bos:
        tokenizer.add_bos_token = True
