"""A tokenizer puts BOS before a text where its model expects one, in training and in serving."""

import pytest

from basemodels import CATALOGUE
from basemodels.catalogue import Tokens
from basemodels.resolving import cached_directory
from basemodels.tokens import settle_bos

GEMMA = "gemma-3-270m"


class Forgetful:
    """What a tokenizer read from GGUF is like."""

    bos_token: str | None = None
    eos_token: str | None = None
    pad_token: str | None = None
    add_bos_token = False


def test_a_forgotten_bos_is_put_back() -> None:
    tokenizer = Forgetful()
    settle_bos(tokenizer, CATALOGUE[GEMMA].tokens)
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token) == (
        "<bos>",
        "<eos>",
        "<pad>",
    )
    assert tokenizer.add_bos_token


def test_a_model_without_bos_gets_none() -> None:
    tokenizer = Forgetful()
    settle_bos(tokenizer, Tokens(eos="</s>"))
    assert (tokenizer.bos_token, tokenizer.add_bos_token) == (None, False)


def test_the_fetched_gemma_puts_bos_before_a_text_of_either_language() -> None:
    directory = cached_directory(GEMMA)
    if directory is None:
        pytest.skip(f"run `python -m basemodels fetch {GEMMA} --accept-terms` first")
    # Heavy, and only this test needs it.
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(directory)
    for text in ("Once upon a time", "话说天下大势"):
        ids = tokenizer(text).input_ids
        assert ids[0] == tokenizer.bos_token_id
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
