"""What the values of an adapter may be, at each limit and just beyond it."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from adapters import disk, header, values
from adapters.findings import Finding, Findings
from adapters.peftconfig import PeftConfig
from tests.adapters.making import as_dtype, safetensors

CONFIG = PeftConfig(rank=1, alpha=1.0, targets=frozenset({"q"}))
Pair = tuple[NDArray[np.generic], NDArray[np.generic]]


def check(path: Path, *pairs: Pair, config: PeftConfig = CONFIG) -> list[Finding]:
    arrays = {
        f"m{n}.{side}": pair[n2] for n, pair in enumerate(pairs) for n2, side in enumerate("AB")
    }
    path.write_bytes(safetensors(arrays))
    findings = Findings()
    with disk.reading(path) as descriptor:
        tensors = header.read(descriptor, "w", findings) or []
        modules: dict[str, dict[str, header.Tensor]] = {}
        for tensor in tensors:
            module, side = tensor.name.split(".")
            modules.setdefault(module, {})[side] = tensor
        values.check(descriptor, modules, config, findings)
    return findings.all()


def pair(a: float, b: float, length: int = 1) -> Pair:
    return np.full((1, length), a, np.float32), np.full((length, 1), b, np.float32)


@pytest.mark.parametrize(
    ("pairs", "codes"),
    [
        ([pair(1, 1)], []),
        ([pair(100, 1)], []),
        ([pair(-100, 1)], []),
        ([pair(100.01, 1)], ["value_too_large"]),
        ([pair(-100.01, 1)], ["value_too_large"]),
        ([pair(float("nan"), 1)], ["not_finite"]),
        ([pair(float("inf"), 0)], ["not_finite"]),
        ([pair(1, 0)], ["no_effect"]),
        ([pair(0, 1)], ["no_effect"]),
        ([pair(1, 0), pair(1, 1)], []),
        ([pair(1, 1), pair(1, 0)], []),
        ([pair(1, 1e-9)], ["no_effect"]),
        ([pair(1, 1.01e-9)], []),
        ([pair(10, 100, 100)], []),
        ([pair(10, 100, 101)], ["norm_too_large"]),
        ([pair(1, 1), pair(100.01, 1)], ["value_too_large"]),
        ([pair(float("nan"), 1), pair(1, 0)], ["not_finite"]),
    ],
)
def test_values_have_limits(pairs: list[Pair], codes: list[str], tmp_path: Path) -> None:
    assert [finding.code for finding in check(tmp_path / "w", *pairs)] == codes


def test_the_scale_counts_in_the_size_of_an_update(tmp_path: Path) -> None:
    large = PeftConfig(rank=1, alpha=100.0, targets=frozenset({"q"}))
    (finding,) = check(tmp_path / "w", pair(10, 10, 11), config=large)
    assert finding.message == (
        "The update of m0 may have a norm of 1.1e+05, expected at most 100000. The training "
        "diverged; lower the learning rate."
    )
    assert check(tmp_path / "w", pair(10, 10, 10), config=large) == []


def test_an_update_of_the_smallest_norm_is_still_none(tmp_path: Path) -> None:
    faint = PeftConfig(rank=1, alpha=values.MIN_UPDATE_NORM, targets=frozenset({"q"}))
    assert [finding.code for finding in check(tmp_path / "w", pair(1, 1), config=faint)] == [
        "no_effect"
    ]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_tensor_is_measured_in_every_type(dtype: str, tmp_path: Path) -> None:
    whole = np.array([[0.5, -0.75, 0.25]], np.float32)
    (tmp_path / "w").write_bytes(safetensors({"a": as_dtype(whole, dtype)}))
    findings = Findings()
    with disk.reading(tmp_path / "w") as descriptor:
        (tensor,) = header.read(descriptor, "w", findings) or []
        extent = values.measure(descriptor, tensor)
        streamed = np.concatenate(list(values.stream(descriptor, tensor)))
    assert streamed.tolist() == whole.ravel().tolist()
    assert streamed.dtype == np.float32
    assert (extent.finite, extent.absolute) == (True, 0.75)
    assert extent.norm == pytest.approx(np.sqrt(0.875))


def test_a_large_tensor_is_read_in_pieces_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "CHUNK_VALUES", 4)
    whole = np.arange(10, dtype=np.float32)
    (tmp_path / "w").write_bytes(safetensors({"a": whole}))
    sizes: list[int] = []
    real = os.pread

    def pread(descriptor: int, size: int, offset: int) -> bytes:
        sizes.append(size)
        return real(descriptor, size, offset)

    with disk.reading(tmp_path / "w") as descriptor:
        (tensor,) = header.read(descriptor, "w", Findings()) or []
        monkeypatch.setattr(os, "pread", pread)
        pieces = [piece.tolist() for piece in values.stream(descriptor, tensor)]
        extent = values.measure(descriptor, tensor)
    assert (extent.finite, extent.absolute) == (True, 9.0)
    assert extent.norm == pytest.approx(np.sqrt(285))
    assert pieces == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert sizes == [16, 16, 8] * 2


@pytest.mark.parametrize("place", [0, 5, 9])
def test_a_nan_is_found_in_every_piece(
    place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "CHUNK_VALUES", 4)
    a, b = pair(1, 1, 10)
    a = a.copy()
    a[0, place] = np.nan
    assert [finding.code for finding in check(tmp_path / "w", (a, b))] == ["not_finite"]


def test_squares_beyond_float32_are_large_but_finite(tmp_path: Path) -> None:
    """A sum that overflows is not a value that is infinite."""
    found = check(tmp_path / "w", pair(1e25, 1, 2))
    assert [finding.code for finding in found] == ["value_too_large", "norm_too_large"]
    assert found[0].message == (
        "m0.lora_A holds 1e+25, expected at most 100. The training diverged; lower the learning "
        "rate and train again."
    )
