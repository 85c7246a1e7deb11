"""The reading of a safetensors header, at each of its limits and one beyond."""

import json
import os
import struct
from pathlib import Path

import pytest

from adapters import disk, header
from adapters.findings import Findings
from tests.adapters.making import with_header

LIMIT = header.MAX_HEADER_BYTES


def read(path: Path, content: bytes) -> tuple[list[header.Tensor] | None, list[str]]:
    path.write_bytes(content)
    findings = Findings()
    with disk.reading(path) as descriptor:
        tensors = header.read(descriptor, "w", findings)
    return tensors, [finding.code for finding in findings.all()]


def entry(shape: list[int], start: int, size_bytes: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, start + size_bytes]}


def document(**entries: object) -> bytes:
    return json.dumps(entries).encode()


def test_tensors_come_in_file_order_with_their_places(tmp_path: Path) -> None:
    raw = document(b=entry([2], 8, 8), a=entry([2, 2], 0, 8, "F16"), __metadata__={"k": "v"})
    tensors, codes = read(tmp_path / "w", with_header(raw, bytes(16)))
    assert codes == []
    assert tensors == [
        header.Tensor("a", "F16", (2, 2), len(raw) + 8, 8),
        header.Tensor("b", "F32", (2,), len(raw) + 16, 8),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "header_truncated"),
        (bytes(9), "header_truncated"),
        (struct.pack("<Q", 2) + b"{", "header_truncated"),
        (struct.pack("<Q", 3) + b"{}", "header_truncated"),
        (struct.pack("<Q", LIMIT) + b"{}", "header_truncated"),
        (struct.pack("<Q", LIMIT + 1) + b"{}", "header_too_large"),
        (with_header(b" " * (LIMIT + 1)), "header_too_large"),
        (struct.pack("<Q", 2) + b"{}x", "file_length"),
    ],
)
def test_lengths_are_compared_before_anything_is_read(
    content: bytes, code: str, tmp_path: Path
) -> None:
    assert read(tmp_path / "w", content) == (None, [code])


def test_the_smallest_and_the_largest_header_are_read(tmp_path: Path) -> None:
    assert read(tmp_path / "w", with_header(b"{}")) == ([], [])
    assert read(tmp_path / "w", with_header(b"{}".ljust(LIMIT))) == ([], [])


def test_the_length_is_little_endian(tmp_path: Path) -> None:
    big = struct.pack(">Q", 2) + b"{}"
    assert read(tmp_path / "w", big) == (None, ["header_too_large"])


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ([1] * 8, None),
        ([1] * 9, "header_bad_entry"),
        ([], None),
        ([(1 << 63) - 1], "header_offsets"),
        ([1 << 63], "header_bad_entry"),
        ([-1], "header_bad_entry"),
        ([True], "header_bad_entry"),
        (7, "header_bad_entry"),
    ],
    ids=str,
)
def test_shapes_are_lists_of_a_few_whole_numbers(
    shape: object, code: str | None, tmp_path: Path
) -> None:
    raw = document(a={"dtype": "F32", "shape": shape, "data_offsets": [0, 4]})
    tensors, codes = read(tmp_path / "w", with_header(raw, bytes(4)))
    assert codes == ([code] if code else [])
    assert (tensors is None) == (code is not None)


@pytest.mark.parametrize(
    ("offsets", "code"),
    [
        ([0, 4], None),
        ([0, 5], "header_offsets"),
        ([0, 3], "header_offsets"),
        ([4, 0], "header_offsets"),
        ([4, 8], "header_offsets"),
        ([0], "header_bad_entry"),
        ([0, 4, 4], "header_bad_entry"),
        ([-4, 0], "header_bad_entry"),
    ],
    ids=str,
)
def test_offsets_are_exact(offsets: list[int], code: str | None, tmp_path: Path) -> None:
    raw = document(a={"dtype": "F32", "shape": [1], "data_offsets": offsets})
    _, codes = read(tmp_path / "w", with_header(raw, bytes(4)))
    assert codes == ([code] if code else [])


def test_every_bad_entry_is_named_and_not_only_the_first(tmp_path: Path) -> None:
    raw = document(a=entry([1], 0, 5), b=7, c=entry([1], 0, 4, "I8"), __metadata__=7)
    _, codes = read(tmp_path / "w", with_header(raw, bytes(4)))
    assert codes == ["header_bad_entry", "header_offsets", "header_bad_entry", "dtype_not_allowed"]


def test_empty_tensors_may_stand_anywhere(tmp_path: Path) -> None:
    raw = document(z=entry([0], 0, 0), a=entry([1], 0, 4), y=entry([0, 7], 4, 0))
    tensors, codes = read(tmp_path / "w", with_header(raw, bytes(4)))
    assert codes == []
    assert [tensor.name for tensor in tensors or []] == ["z", "a", "y"]


def test_a_file_that_shrinks_while_it_is_read_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "w"
    path.write_bytes(with_header(document(a=entry([1], 0, 4)), bytes(4)))
    findings = Findings()
    with disk.reading(path) as descriptor, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "pread", lambda *_: b"")
        assert header.read(descriptor, "w", findings) is None
    assert [finding.code for finding in findings.all()] == ["header_not_json"]
