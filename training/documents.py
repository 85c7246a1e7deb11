"""Raw text for the pre-training stage: documents, and how they are cut into examples.

A document is one text file; a directory is read with everything below it. Documents share a step
end to end without seeing one another, since attention keeps examples apart.
"""

import hashlib
from pathlib import Path

from training.encode import Example
from training.errors import RowsRefused, RunRefused
from training.prompts import Tokenizer
from training.rows import Problem, Row, Sheet

SUFFIXES = (".md", ".txt")


def read_documents(path: Path) -> Sheet:
    """Read a text file, or every text file below a directory, in the order of their names.

    The sheet has one row a document, numbered from 1, whose note `file` is its path.

    Raises:
        RowsRefused: There is no such file or directory, or no text in it.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES)
    else:
        files = [path] if path.is_file() and path.suffix.lower() in SUFFIXES else []
    if not files:
        raise RowsRefused(
            f"There is no text in {path}. Expected a {' or '.join(SUFFIXES)} file, or a directory "
            "with some. Check the path, or convert what is there."
        )
    sheet = Sheet(path, count=len(files))
    seen: dict[str, int] = {}
    for number, file in enumerate(files, 1):
        found = _document(number, file, seen)
        if isinstance(found, Row):
            sheet.rows.append(found)
        else:
            sheet.problems.append(found)
    return sheet


def _document(number: int, file: Path, seen: dict[str, int]) -> Row | Problem:
    try:
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").strip()
    except OSError as error:
        return Problem(number, "unreadable", f"{file}: {error.strerror}")
    except UnicodeDecodeError as error:
        return Problem(number, "not_utf8", f"{file}: byte {error.start} is not UTF-8; convert it")
    if not text:
        return Problem(number, "empty_output", f"{file} is empty; remove it")
    first = seen.setdefault(hashlib.sha256(text.encode()).hexdigest(), number)
    if first != number:
        return Problem(
            number, "duplicate", f"{file} is the same text as document {first}; left out"
        )
    return Row(number, text, text, None, {"file": str(file)})


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
