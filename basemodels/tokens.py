"""BOS, EOS, padding and the plain chat form of base models, settled once for training and for serving.

A tokenizer read from a GGUF file forgets that the model expects BOS before a text. Both sides read
the tokenizer from the same directory, so what is settled there holds for both.
"""

import json
from typing import Protocol

from basemodels.catalogue import Tokens

# How a base that has no chat template is asked.
PLAIN_QUESTION = "### Instruction:\n{prompt}\n\n### Response:\n"


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


def plain_chat_template(bos: str) -> str:
    """A chat template for a base that has none: one question is `PLAIN_QUESTION` after `bos`.

    What others than the user say stands as it is, with an empty line below.

    Args:
        bos: The beginning-of-text token as text; empty for a model that is not used to one.
    """
    before, after = PLAIN_QUESTION.split("{prompt}")
    return (
        f"{{{{ {json.dumps(bos, ensure_ascii=False)} }}}}{{% for message in messages %}}"
        "{% if message['role'] == 'user' %}"
        f"{{{{ {json.dumps(before)} + message['content'] + {json.dumps(after)} }}}}"
        "{% else %}{{ message['content'] + '\\n\\n' }}{% endif %}{% endfor %}"
    )
