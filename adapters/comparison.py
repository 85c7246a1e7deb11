"""diff: what two versions have in common and what not, down to the weights of each layer."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adapters import disk, header, peftconfig, tensors, values
from adapters.errors import VersionDamaged
from adapters.findings import Findings
from adapters.layout import CONFIG, MAX_BYTES, WEIGHTS
from adapters.store import Store, Version

Matrix = NDArray[np.float32]
# What differs between any two versions.
OWN = {"name", "version", "created", "files", "content_sha256", "schema_version"}


@dataclass(frozen=True)
class Update:
    """What an adapter adds to one module: scale * B @ A.

    Attributes:
        scale: The factor.
        a: (rank, in)
        b: (out, rank)
    """

    scale: float
    a: Matrix
    b: Matrix

    def dot(self, other: "Update") -> float:
        """The Frobenius product of two updates, without forming either (out, in) matrix."""
        # A distance is a difference of such products; in float32 rounding would be all of it.
        a, b = self.a.astype(np.float64), self.b.astype(np.float64)
        return self.scale * other.scale * float(((a @ other.a.T) * (b.T @ other.b)).sum())


@dataclass(frozen=True)
class LayerChange:
    """The Frobenius norms of all updates in one layer.

    Attributes:
        layer: Its number; `None` for modules outside layers.
        old: The norm in the old version.
        new: The norm in the new version.
        distance: The norm of the difference.
    """

    layer: int | None
    old: float
    new: float
    distance: float


def facts(store: Store, old: Version, new: Version) -> dict[str, tuple[object, object]]:
    """Everything said about two versions that differs, by dotted path."""
    return {
        path: pair
        for path, pair in _pairs(_said(store, old), _said(store, new)).items()
        if pair[0] != pair[1]
    }


def weights(old: Version, new: Version) -> list[LayerChange]:
    """How far the updates of two versions lie apart, layer by layer.

    Raises:
        VersionDamaged: The weights of one cannot be read.
    """
    sums: dict[int | None, list[float]] = {}
    before, after = updates(old), updates(new)
    for module in sorted({*before, *after}):
        one, two = before.get(module), after.get(module)
        old_square = one.dot(one) if one else 0.0
        new_square = two.dot(two) if two else 0.0
        cross = one.dot(two) if one and two else 0.0
        total = sums.setdefault(peftconfig.layer_of(module), [0.0, 0.0, 0.0])
        total[0] += old_square
        total[1] += new_square
        # Rounding can make the distance of equal updates slightly negative.
        total[2] += max(0.0, old_square + new_square - 2 * cross)
    return [
        LayerChange(layer, *(float(np.sqrt(square)) for square in squares))
        for layer, squares in sorted(sums.items(), key=lambda item: (item[0] is None, item[0]))
    ]


def _said(store: Store, version: Version) -> dict[str, object]:
    said = {
        key: value
        for key, value in version.manifest.model_dump(mode="json").items()
        if key not in OWN
    }
    records = store.evaluations(version.name, version.number)
    said["evaluation"] = records[-1].results if records else {}
    return said


def _pairs(old: object, new: object, path: str = "") -> dict[str, tuple[object, object]]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return {path: (old, new)}
    pairs: dict[str, tuple[object, object]] = {}
    for key in [*old, *(key for key in new if key not in old)]:
        pairs |= _pairs(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    return pairs


def updates(version: Version) -> dict[str, Update]:
    """The update of every module, by module path.

    Raises:
        VersionDamaged: The weights cannot be read.
    """
    found: dict[str, Update] = {}
    with _opened(version) as (config, descriptor, entries):
        for entry in entries:
            match = tensors.KEY.fullmatch(entry.name)
            if match is None or match["side"] != "A":
                continue
            module = match["module"]
            partner = next(
                other for other in entries if other.name == entry.name.replace("lora_A", "lora_B")
            )
            found[module] = Update(
                config.scale_of(module), _matrix(descriptor, entry), _matrix(descriptor, partner)
            )
    return found


@contextlib.contextmanager
def _opened(
    version: Version,
) -> Iterator[tuple[peftconfig.PeftConfig, int, list[header.Tensor]]]:
    findings = Findings()
    try:
        config = peftconfig.read(disk.read(version.path / CONFIG, MAX_BYTES[CONFIG]), findings)
        with disk.reading(version.path / WEIGHTS) as descriptor:
            entries = header.read(descriptor, WEIGHTS, findings)
            if config is None or entries is None:
                raise _damaged(version, "; ".join(map(str, findings.all())))
            yield config, descriptor, entries
    except OSError as error:
        raise _damaged(version, str(error.strerror)) from error


def _matrix(descriptor: int, tensor: header.Tensor) -> Matrix:
    """A tensor as float32, whatever it is stored as."""
    return np.concatenate(list(values.stream(descriptor, tensor))).reshape(tensor.shape)


def _damaged(version: Version, reason: str) -> VersionDamaged:
    return VersionDamaged(
        f"The weights of {version} cannot be read: {reason}. Expected what was published. Run "
        "`python -m adapters fsck`."
    )
