"""Raw text for the pre-training stage: how documents are cut into examples.

Documents share a step end to end without seeing one another, since attention keeps examples apart.
"""

from training.encode import Example
from training.errors import RunRefused
from training.prompts import Tokenizer
from training.rows import Sheet


def encode_documents(sheet: Sheet, tokenizer: Tokenizer, max_length_tokens: int) -> list[Example]:
    """Cut documents into examples of at most so many tokens; every token is trained once.

    Each begins with the last token of the one before, which it is predicted from, and the last one
    of a document ends in the end-of-text token.

    Raises:
        RunRefused: The tokenizer has no end-of-text token.
    """
    if tokenizer.eos_token_id is None:
        raise RunRefused(
            "The base model's tokenizer has no end-of-text token, so documents cannot be told apart. "
            "Expected eos_token in tokenizer_config.json. Add the model's own there."
        )
    texts = [row.output for row in sheet.rows]
    examples = []
    for row, ids in zip(
        sheet.rows, tokenizer(texts, add_special_tokens=True)["input_ids"], strict=True
    ):
        whole = ids if ids[-1:] == [tokenizer.eos_token_id] else [*ids, tokenizer.eos_token_id]
        for start in range(0, max(1, len(whole) - 1), max_length_tokens - 1):
            cut = whole[start : start + max_length_tokens]
            examples.append(Example(row.line, cut, list(cut)))
    return examples
