"""Whether the tokenizer that lies beside an adapter is the base model's.

The service uses the base model's tokenizer alone; another one beside the adapter says that it
was trained on other token ids.
"""

from collections.abc import Callable
from pathlib import Path

from adapters import bases, disk, jsondoc
from adapters.findings import Findings, shown
from adapters.layout import (
    ADDED_TOKENS,
    MAX_BYTES,
    TOKENIZER,
    TOKENIZER_PIECES,
    TOKENIZER_SETTINGS,
    VOCABULARY,
)
from basemodels import BaseModelError
from basemodels.modules import read_config

Tokens = dict[str, int]


def check(directory: Path, files: list[str], base_dir: Path, findings: Findings) -> None:
    """Compare the adapter's token ids with those of the base model."""
    size = read_config(base_dir).get("vocab_size")
    for name, read_tokens in READERS.items():
        if name not in files:
            continue
        # Some bases say the same in one file only.
        alone = name == VOCABULARY and not (base_dir / name).is_file()
        own_name = TOKENIZER if alone else name
        of_base = _of_base(base_dir, own_name)
        if name == TOKENIZER_PIECES and of_base is None:
            continue
        try:
            raw = disk.read(directory / name, MAX_BYTES[name])
            tokens = {} if raw == of_base else read_tokens(raw)
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
        own = _own_tokens(own_name, of_base) if tokens and name in WHOLE and of_base else None
        _compare(tokens, name, own, size, findings)


def _of_base(base_dir: Path, name: str) -> bytes | None:
    path = base_dir / name
    return bases.read_file(path) if path.is_file() else None


def _compare(
    tokens: Tokens, name: str, own: Tokens | None, size: object, findings: Findings
) -> None:
    beyond = [token for token, number in tokens.items() if isinstance(size, int) and number >= size]
    other = [
        token for token, number in tokens.items() if own is not None and own.get(token) != number
    ]
    for token in (beyond or other)[:1]:
        limit = f"below {size}" if beyond else "the base model's own"
        findings.add(
            "vocabulary_differs",
            name,
            f"It gives {shown(token)} the id {tokens[token]}, expected ids {limit} "
            f"({len(beyond or other)} differ). The adapter was made with another vocabulary; use "
            "its base model, or train without new tokens.",
        )


def _own_tokens(name: str, raw: bytes) -> Tokens:
    try:
        return READERS[name](raw)
    except ValueError as error:
        raise BaseModelError(
            f"The base model's {name} cannot be read ({error}). Expected that of a fast "
            "tokenizer. Fetch the base again."
        ) from error


def _document(raw: bytes) -> dict[str, object]:
    document = jsondoc.parse(raw)
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - of the document, not of a caller
    return document


def _from_tokenizer(raw: bytes) -> Tokens:
    document = _document(raw)
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


def _from_settings(raw: bytes) -> Tokens:
    added = _document(raw).get("added_tokens_decoder")
    tokens: Tokens = {}
    for number, entry in added.items() if isinstance(added, dict) else []:
        if not isinstance(entry, dict) or not number.isdecimal():
            raise ValueError("added_tokens_decoder does not map numbers to tokens")
        tokens[str(entry.get("content"))] = int(number)
    return tokens


def _from_ids(raw: bytes) -> Tokens:
    return _ids(_document(raw))


def _from_pieces(_: bytes) -> Tokens:
    raise ValueError("it is not JSON")


def _ids(entries: dict[str, object]) -> Tokens:
    tokens: Tokens = {}
    for token, number in entries.items():
        if type(number) is not int or number < 0:
            raise ValueError(f"the id of {token!r} is not a whole number from 0")
        tokens[token] = number
    return tokens


READERS: dict[str, Callable[[bytes], Tokens]] = {
    TOKENIZER: _from_tokenizer,
    VOCABULARY: _from_ids,
    TOKENIZER_PIECES: _from_pieces,
    TOKENIZER_SETTINGS: _from_settings,
    ADDED_TOKENS: _from_ids,
}
# These hold every token, so each must be the base model's.
WHOLE = {TOKENIZER, VOCABULARY}
