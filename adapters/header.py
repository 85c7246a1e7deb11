"""Our own reading of a safetensors header, before any library sees the file.

Knows the format, nothing of LoRA: an 8-byte little-endian length, a JSON object, tensor bytes.
"""

import math
import os
from dataclasses import dataclass

from adapters import jsondoc
from adapters.findings import Findings, shown

MAX_HEADER_BYTES = 1 << 20
MAX_DIMENSIONS = 8
DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}


@dataclass(frozen=True)
class Tensor:
    """Where a tensor lies in its file.

    Attributes:
        name: Its key.
        dtype: A key of `DTYPE_BYTES`.
        shape: Its dimensions.
        start: Offset of its first byte in the file.
        size_bytes: How many bytes it has.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    size_bytes: int


def read(descriptor: int, file: str, findings: Findings) -> list[Tensor] | None:
    """Read and check the header of an open file.

    Returns:
        The tensors in file order, or `None` if the header cannot be trusted.
    """
    size_bytes = os.fstat(descriptor).st_size
    length = int.from_bytes(os.pread(descriptor, 8, 0), "little")
    if size_bytes < 10 or (length <= MAX_HEADER_BYTES and length > size_bytes - 8):
        findings.add(
            "header_truncated",
            file,
            f"The file has {size_bytes} bytes, its header claims {length}. The file was cut "
            "short; copy or save it again.",
        )
        return None
    if length > MAX_HEADER_BYTES:
        findings.add(
            "header_too_large",
            file,
            f"The header claims {length} bytes, expected at most {MAX_HEADER_BYTES}. "
            "This is no LoRA adapter in safetensors form.",
        )
        return None
    entries = _parse(os.pread(descriptor, length, 8), file, findings)
    if entries is None:
        return None
    tensors = _tensors(entries, 8 + length, file, findings)
    if tensors is None or not _contiguous(tensors, 8 + length, size_bytes, file, findings):
        return None
    return tensors


def _parse(raw: bytes, file: str, findings: Findings) -> dict[str, object] | None:
    try:
        header = jsondoc.parse(raw)
    except jsondoc.DuplicateKeyError as error:
        findings.add(
            "header_duplicate_key", file, f"In the header, {error}. Save the adapter again."
        )
        return None
    except ValueError as error:
        findings.add(
            "header_not_json",
            file,
            f"The header is not JSON ({shown(str(error))}). Save the adapter again.",
        )
        return None
    if not isinstance(header, dict) or not raw.startswith(b"{"):
        findings.add(
            "header_not_json", file, "The header is not a JSON object. Save the adapter again."
        )
        return None
    return header


def _tensors(
    entries: dict[str, object], data_start: int, file: str, findings: Findings
) -> list[Tensor] | None:
    metadata = entries.pop("__metadata__", {})
    good = isinstance(metadata, dict) and all(isinstance(text, str) for text in metadata.values())
    if not good:
        findings.add(
            "header_bad_entry",
            file,
            "__metadata__ is not an object of strings. Save the adapter again.",
        )
    tensors = []
    for name, entry in entries.items():
        problem = _problem(entry)
        if problem is None:
            tensors.append(_tensor(name, entry, data_start))
        else:
            good = False
            code, what = problem
            findings.add(
                code, file, f"The header's entry {shown(name)} has {what}. Save the adapter again."
            )
    return sorted(tensors, key=lambda tensor: (tensor.start, tensor.size_bytes)) if good else None


def _problem(entry: object) -> tuple[str, str] | None:
    """What is wrong with one entry of the header, as a code and half a sentence."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        return "header_bad_entry", "other keys than dtype, shape and data_offsets"
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not _whole_numbers(shape) or len(shape) > MAX_DIMENSIONS:
        return "header_bad_entry", f"the shape {shown(shape)}"
    if not _whole_numbers(offsets) or len(offsets) != 2:
        return "header_bad_entry", f"the offsets {shown(offsets)}"
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        return (
            "dtype_not_allowed",
            f"the dtype {shown(dtype)}, expected one of {', '.join(DTYPE_BYTES)}",
        )
    needed = math.prod(shape) * DTYPE_BYTES[dtype]
    if offsets[1] - offsets[0] != needed:
        return (
            "header_offsets",
            f"the offsets {shown(offsets)}, but its shape needs {shown(needed)} bytes",
        )
    return None


def _whole_numbers(value: object) -> bool:
    return isinstance(value, list) and all(
        type(number) is int and 0 <= number < 1 << 63 for number in value
    )


def _tensor(name: str, entry: object, data_start: int) -> Tensor:
    assert isinstance(entry, dict)  # noqa: S101 - `_problem` has seen it
    first, last = entry["data_offsets"]
    return Tensor(name, entry["dtype"], tuple(entry["shape"]), data_start + first, last - first)


def _contiguous(
    tensors: list[Tensor], data_start: int, size_bytes: int, file: str, findings: Findings
) -> bool:
    position = data_start
    for tensor in tensors:
        if tensor.start != position:
            findings.add(
                "header_offsets",
                file,
                f"{shown(tensor.name)} begins at byte {tensor.start}, expected {position}: tensors "
                "overlap or leave a gap. Save the adapter again.",
            )
            return False
        position += tensor.size_bytes
    if position != size_bytes:
        findings.add(
            "file_length",
            file,
            f"The file has {size_bytes} bytes, its header accounts for {position}. "
            "It was cut short or something was appended; save the adapter again.",
        )
        return False
    return True
