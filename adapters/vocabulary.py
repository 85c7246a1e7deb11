"""Whether the tokenizer that lies beside an adapter is the base model's.

The service uses the base model's tokenizer alone; another one beside the adapter says that it
was trained on other token ids.
"""

from pathlib import Path

from adapters import bases, disk, jsondoc
from adapters.findings import Findings, shown
from adapters.layout import ADDED_TOKENS, MAX_BYTES, TOKENIZER, TOKENIZER_SETTINGS
from basemodels import BaseModelError
from basemodels.modules import read_config

Tokens = dict[str, int]


def check(directory: Path, files: list[str], base_dir: Path, findings: Findings) -> None:
    """Compare the adapter's token ids with those of the base model."""
    size = read_config(base_dir).get("vocab_size")
    for name, read_tokens in READERS.items():
        if name not in files:
            continue
        base = base_dir / name
        of_base = bases.read_file(base) if base.is_file() else None
        try:
            raw = disk.read(directory / name, MAX_BYTES[name])
            tokens = {} if raw == of_base else read_tokens(_document(raw))
        except OSError as error:
            findings.unreadable(name, error)
            continue
        except ValueError as error:
            findings.add(
                "vocabulary_differs",
                name,
                f"It differs from the base model's and cannot be compared ({shown(str(error))}). "
                "Remove it: the service uses the base model's tokenizer.",
            )
            continue
        _compare(tokens, name, of_base, size, findings)


def _compare(
    tokens: Tokens, name: str, of_base: bytes | None, size: object, findings: Findings
) -> None:
    beyond = [token for token, number in tokens.items() if isinstance(size, int) and number >= size]
    other: list[str] = []
    if tokens and name == TOKENIZER and of_base is not None:
        own = _own_tokens(of_base)
        other = [token for token, number in tokens.items() if own.get(token) != number]
    for token in (beyond or other)[:1]:
        limit = f"below {size}" if beyond else "the base model's own"
        findings.add(
            "vocabulary_differs",
            name,
            f"It gives {shown(token)} the id {tokens[token]}, expected ids {limit} "
            f"({len(beyond or other)} differ). The adapter was made with another vocabulary; use "
            "its base model, or train without new tokens.",
        )


def _own_tokens(raw: bytes) -> Tokens:
    try:
        return _from_tokenizer(_document(raw))
    except ValueError as error:
        raise BaseModelError(
            f"The base model's {TOKENIZER} cannot be read ({error}). Expected that of a fast "
            "tokenizer. Fetch the base again."
        ) from error


def _document(raw: bytes) -> dict[str, object]:
    document = jsondoc.parse(raw)
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - of the document, not of a caller
    return document


def _from_tokenizer(document: dict[str, object]) -> Tokens:
    model = document.get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    tokens: Tokens = {}
    if isinstance(vocabulary, dict):
        tokens |= _ids(vocabulary)
    elif isinstance(vocabulary, list):
        # Unigram: a list of [token, score]; the position is the id.
        for number, entry in enumerate(vocabulary):
            if not isinstance(entry, list) or not entry:
                raise ValueError("its vocabulary does not list tokens")
            tokens[str(entry[0])] = number
    added = document.get("added_tokens")
    for entry in added if isinstance(added, list) else []:
        if isinstance(entry, dict):
            tokens |= _ids({str(entry.get("content")): entry.get("id")})
    return tokens


def _from_settings(document: dict[str, object]) -> Tokens:
    added = document.get("added_tokens_decoder")
    tokens: Tokens = {}
    for number, entry in added.items() if isinstance(added, dict) else []:
        if not isinstance(entry, dict) or not number.isdecimal():
            raise ValueError("added_tokens_decoder does not map numbers to tokens")
        tokens[str(entry.get("content"))] = int(number)
    return tokens


def _ids(entries: dict[str, object]) -> Tokens:
    tokens: Tokens = {}
    for token, number in entries.items():
        if type(number) is not int:
            raise ValueError(f"the id of {token!r} is not a whole number")
        tokens[token] = number
    return tokens


READERS = {TOKENIZER: _from_tokenizer, TOKENIZER_SETTINGS: _from_settings, ADDED_TOKENS: _ids}
