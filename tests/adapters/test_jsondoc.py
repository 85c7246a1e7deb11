"""Untrusted JSON is strict, bounded and never read twice in two ways."""

import json

import pytest

from adapters import jsondoc


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": [1, -2.5e3, null, true, "\xc3\xa9"]}', {"a": [1, -2500.0, None, True, "é"]}),
        (b" [] ", []),
        (b"7", 7),
        (b"9" * 100, int("9" * 100)),
    ],
)
def test_documents_are_read(raw: bytes, value: object) -> None:
    assert jsondoc.parse(raw) == value


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"NaN", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"\xff", "can't decode byte 0xff"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b"9" * 101, "it has a number of more than 100 digits"),
        (b"1." + b"0" * 101, "it has a number of more than 100 digits"),
        (b"[" + b"[]," * 2_000_000 + b"[]]", "it would take more than 96 MB of memory to read"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_plain_json_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        jsondoc.parse(raw)


def test_a_key_that_occurs_twice_is_named_however_deep_and_long() -> None:
    with pytest.raises(jsondoc.DuplicateKeyError, match=r"^the key 'b' occurs twice$"):
        jsondoc.parse(b'{"a": [{"c": 1, "b": 1, "b": 2}]}')
    with pytest.raises(jsondoc.DuplicateKeyError, match=f"the key '{'k' * 80}' occurs twice"):
        jsondoc.parse(json.dumps({"k" * 99: 1})[:-1].encode() + b', "' + b"k" * 99 + b'": 2}')
    with pytest.raises(jsondoc.DuplicateKeyError, match=r"the key '\\xe9' occurs twice"):
        jsondoc.parse('{"é": 1, "é": 2}'.encode())


def test_the_estimate_counts_what_python_makes_of_a_document() -> None:
    assert jsondoc.parsed_bytes(b"") == 0
    assert jsondoc.parsed_bytes(b"[]") == 2 + 88
    assert jsondoc.parsed_bytes(b"{}") == 2 + 88
    assert jsondoc.parsed_bytes(b'"ab"') == 4 + 72
    assert jsondoc.parsed_bytes(b'{"a":1,"b":2}') == 13 + 88 + 2 * 72 + 3 * 40
    assert jsondoc.parsed_bytes("é".encode()) == 8
    assert jsondoc.parsed_bytes(b'"') == 1


def test_as_much_memory_as_agreed_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = jsondoc.parsed_bytes(b'{"a": 1}')
    monkeypatch.setattr(jsondoc, "MAX_PARSED_BYTES", needed)
    assert jsondoc.parse(b'{"a": 1}') == {"a": 1}
    monkeypatch.setattr(jsondoc, "MAX_PARSED_BYTES", needed - 1)
    with pytest.raises(ValueError, match="it would take more than"):
        jsondoc.parse(b'{"a": 1}')
