"""A tokenizer beside an adapter must give the base model's token ids."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters import gate
from basemodels import BaseModelError
from tests.adapters.making import Adapter, tokenizer

KEYS = st.sampled_from(
    ["model", "vocab", "added_tokens", "content", "id", "added_tokens_decoder", "7"]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 200) | st.floats() | st.text(max_size=3)


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


OWN = {"<s>": 0, "</s>": 1, "a": 2, "b": 3}


def codes(adapter: Adapter, directory: Path, name: str, document: object) -> list[str]:
    adapter.extra = {name: json.dumps(document).encode()}
    return [finding.code for finding in gate.check(adapter.write(directory), adapter.base)]


@pytest.mark.parametrize(
    ("name", "document", "fits"),
    [
        ("tokenizer.json", tokenizer(OWN) | {"truncation": {"max_length": 512}}, True),
        ("tokenizer.json", tokenizer({"a": 2}), True),
        ("tokenizer.json", tokenizer(OWN | {"c": 4}), False),
        ("tokenizer.json", tokenizer(OWN) | {"added_tokens": [{"content": "a", "id": 2}]}, True),
        ("tokenizer.json", tokenizer(OWN) | {"added_tokens": [{"content": "a", "id": 7}]}, False),
        ("tokenizer.json", {"model": {"vocab": [["<s>", 0.0], ["</s>", 0.0]]}}, True),
        ("tokenizer.json", {"model": {"vocab": [["</s>", 0.0], ["<s>", 0.0]]}}, False),
        ("tokenizer.json", {"model": {"vocab": [["<s>", 0.0], 7]}}, False),
        ("tokenizer.json", {"model": {"vocab": {"a": True}}}, False),
        ("tokenizer.json", [], False),
        ("tokenizer_config.json", {"added_tokens_decoder": {"99": {"content": "<x>"}}}, True),
        ("tokenizer_config.json", {"added_tokens_decoder": {"100": {"content": "<x>"}}}, False),
        ("tokenizer_config.json", {"added_tokens_decoder": {"x": {"content": "<x>"}}}, False),
        ("tokenizer_config.json", {"added_tokens_decoder": {"1": "<x>"}}, False),
        ("added_tokens.json", {"<x>": 99}, True),
        ("added_tokens.json", {"<x>": 100}, False),
        ("added_tokens.json", {"<x>": "100"}, False),
        ("added_tokens.json", {"<x>": 0}, True),
        ("added_tokens.json", {"<x>": -1}, False),
        ("vocab.json", OWN, True),
        ("vocab.json", OWN | {"a": 3}, False),
        ("vocab.json", OWN | {"c": 4}, False),
    ],
)
def test_ids_are_compared(
    name: str, document: object, fits: bool, adapter: Adapter, tmp_path: Path
) -> None:
    expected = [] if fits else ["vocabulary_differs"]
    assert codes(adapter, tmp_path / "adapter", name, document) == expected


def test_a_base_without_that_file_still_limits_the_ids(adapter: Adapter, tmp_path: Path) -> None:
    (adapter.base / "tokenizer.json").unlink()
    assert codes(adapter, tmp_path / "one", "tokenizer.json", tokenizer({"q": 99})) == []
    found = codes(adapter, tmp_path / "two", "tokenizer.json", tokenizer({"q": 100}))
    assert found == ["vocabulary_differs"]


def test_the_same_file_is_not_even_parsed(adapter: Adapter, tmp_path: Path) -> None:
    (adapter.base / "tokenizer.json").write_text("not JSON")
    adapter.extra = {"tokenizer.json": b"not JSON"}
    assert gate.check(adapter.write(tmp_path / "adapter"), adapter.base) == []


def test_a_vocabulary_file_is_compared_with_that_of_the_base(
    adapter: Adapter, tmp_path: Path
) -> None:
    (adapter.base / "vocab.json").write_text(json.dumps({"z": 9}))
    assert codes(adapter, tmp_path / "one", "vocab.json", {"z": 9}) == []
    assert codes(adapter, tmp_path / "two", "vocab.json", OWN) == ["vocabulary_differs"]


def test_a_binary_tokenizer_must_be_the_bases_own_where_there_is_one(
    adapter: Adapter, tmp_path: Path
) -> None:
    adapter.extra = {"tokenizer.model": b"\x0a\x01"}
    assert gate.check(adapter.write(tmp_path / "one"), adapter.base) == []
    (adapter.base / "tokenizer.model").write_bytes(b"\x0a\x01")
    assert gate.check(adapter.write(tmp_path / "two"), adapter.base) == []
    (adapter.base / "tokenizer.model").write_bytes(b"\x0a\x02")
    (finding,) = gate.check(adapter.write(tmp_path / "three"), adapter.base)
    assert (finding.code, finding.file) == ("vocabulary_differs", "tokenizer.model")
    assert "cannot be compared ('it is not JSON')" in finding.message


def test_a_broken_base_is_not_the_adapters_fault(adapter: Adapter, tmp_path: Path) -> None:
    (adapter.base / "tokenizer.json").write_text("not JSON")
    with pytest.raises(BaseModelError, match=r"tokenizer\.json cannot be read"):
        codes(adapter, tmp_path / "adapter", "tokenizer.json", tokenizer(OWN))


@given(content=st.binary(max_size=60) | st.recursive(LEAVES, nested, max_leaves=8).map(as_json))
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_tokenizer_file_ends_in_an_unexpected_error(
    content: bytes, adapter: Adapter, tmp_path: Path
) -> None:
    for name in ("tokenizer.json", "vocab.json", "tokenizer_config.json", "added_tokens.json"):
        adapter.extra = {name: content}
        found = gate.check(adapter.write(tmp_path / name), adapter.base)
        assert {finding.code for finding in found} <= {"vocabulary_differs"}


COMPARED = (
    "It differs from the base model's and cannot be compared ({}). Remove it: the service uses the "
    "base model's tokenizer."
)
GIVES = (
    "It gives {} the id {}, expected ids {} ({} differ). The adapter was made with another "
    "vocabulary; use its base model, or train without new tokens."
)


def not_whole(token: str) -> str:
    return COMPARED.format(f"\"the id of '{token}' is not a whole number from 0\"")


@pytest.mark.parametrize(
    ("name", "document", "message"),
    [
        ("tokenizer.json", [], COMPARED.format("'it is not a JSON object'")),
        (
            "tokenizer.json",
            {"model": {"vocab": [["<s>", 0.0], 7]}},
            COMPARED.format("'its vocabulary does not list tokens'"),
        ),
        (
            "tokenizer.json",
            {"model": {"vocab": [["<s>", 0.0], []]}},
            COMPARED.format("'its vocabulary does not list tokens'"),
        ),
        ("tokenizer.json", {"model": {"vocab": {"a": 1.5}}}, not_whole("a")),
        ("tokenizer.json", tokenizer(OWN) | {"added_tokens": [{"content": "q"}]}, not_whole("q")),
        ("tokenizer.json", tokenizer({"a": 3, "b": 2}), GIVES.format("'a'", 3, "the base model's own", 2)),
        ("tokenizer.json", tokenizer({"q": 100, "r": 101, "a": 3}), GIVES.format("'q'", 100, "below 100", 2)),
        ("tokenizer.json", {"model": {"vocab": [["x", 0.0], ["</s>", 0.0]]}}, GIVES.format("'x'", 0, "the base model's own", 1)),
        ("tokenizer.json", tokenizer({"q": 100}) | {"added_tokens": [{"content": "a", "id": 2}]}, GIVES.format("'q'", 100, "below 100", 1)),
        ("tokenizer.json", {"model": 7}, None),
        ("tokenizer.json", {"model": {"vocab": 7}, "added_tokens": 7}, None),
        ("tokenizer.json", {"added_tokens": [7, {"content": "</s>", "id": 1}]}, None),
        (
            "tokenizer_config.json",
            {"added_tokens_decoder": {"x": {}}},
            COMPARED.format("'added_tokens_decoder does not map numbers to tokens'"),
        ),
        ("tokenizer_config.json", {"added_tokens_decoder": 7}, None),
        ("tokenizer_config.json", {"added_tokens_decoder": {"5": {"content": "q"}, "200": {"content": "r"}}}, GIVES.format("'r'", 200, "below 100", 1)),
        ("added_tokens.json", {"q": 99, "r": 300}, GIVES.format("'r'", 300, "below 100", 1)),
        ("vocab.json", {"a": 2, "b": 1}, GIVES.format("'b'", 1, "the base model's own", 1)),
    ],
)  # fmt: skip
def test_what_is_said_about_a_vocabulary(
    name: str, document: object, message: str | None, adapter: Adapter, tmp_path: Path
) -> None:
    adapter.extra = {name: json.dumps(document).encode()}
    found = gate.check(adapter.write(tmp_path / "adapter"), adapter.base)
    said = [(finding.file, finding.message) for finding in found]
    assert said == ([] if message is None else [(name, message)])


def test_every_file_is_looked_at_whatever_is_wrong_with_the_first(
    adapter: Adapter, tmp_path: Path
) -> None:
    adapter.extra = {
        "tokenizer.json": b"[]",
        "tokenizer.model": b"x",
        "tokenizer_config.json": b"[]",
        "added_tokens.json": b'{"q": 300}',
    }
    found = gate.check(adapter.write(tmp_path / "adapter"), adapter.base)
    assert [f.file for f in found] == [
        "tokenizer.json",
        "tokenizer_config.json",
        "added_tokens.json",
    ]


def test_a_base_that_does_not_say_its_size_limits_no_ids(adapter: Adapter, tmp_path: Path) -> None:
    path = adapter.base / "config.json"
    config = json.loads(path.read_text())
    del config["vocab_size"]
    path.write_text(json.dumps(config))
    assert codes(adapter, tmp_path / "one", "added_tokens.json", {"<x>": 10**6}) == []


def test_what_is_wrong_with_the_tokenizer_of_a_base_is_said(
    adapter: Adapter, tmp_path: Path
) -> None:
    (adapter.base / "tokenizer.json").write_text("[]")
    with pytest.raises(BaseModelError) as refused:
        codes(adapter, tmp_path / "adapter", "tokenizer.json", tokenizer(OWN))
    assert str(refused.value) == (
        "The base model's tokenizer.json cannot be read (it is not a JSON object). Expected that "
        "of a fast tokenizer. Fetch the base again."
    )
