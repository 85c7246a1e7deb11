"""diff says what differs; its norms are those of the full matrices."""

from pathlib import Path

import numpy as np
import pytest

from adapters import comparison
from adapters.errors import VersionDamaged
from adapters.store import Store, Version
from tests.adapters.making import Adapter, make_adapter


def publish(store: Store, adapter: Adapter, directory: Path) -> Version:
    source = adapter.write(directory)
    return store.publish("tales", source, adapter.draft(), base_dir=adapter.base)


def test_norms_equal_those_of_the_full_matrices(store: Store, base: Path, tmp_path: Path) -> None:
    made = [
        make_adapter(base, seed=1),
        make_adapter(base, seed=2, rank=8, targets=["q_proj", "down_proj"], rslora=True),
    ]
    old, new = (publish(store, adapter, tmp_path / f"{n}") for n, adapter in enumerate(made))
    full = []
    for adapter, scale in zip(made, (8 / 4, 8 / 8**0.5), strict=True):
        modules = {name.split(".lora_")[0] for name in adapter.arrays}
        full.append(
            {
                module: scale
                * (
                    adapter.arrays[f"{module}.lora_B.weight"].astype(np.float64)
                    @ adapter.arrays[f"{module}.lora_A.weight"].astype(np.float64)
                )
                for module in modules
            }
        )
    for change in comparison.weights(old, new):
        squares = np.zeros(3)
        for module in {*full[0], *full[1]}:
            if f".layers.{change.layer}." in module:
                one, two = (side.get(module, np.zeros(1)) for side in full)
                squares += [(one**2).sum(), (two**2).sum(), ((one - two) ** 2).sum()]
        found = (change.old, change.new, change.distance)
        np.testing.assert_allclose(found, np.sqrt(squares), rtol=1e-4)
    assert [change.layer for change in comparison.weights(old, new)] == [0, 1]


def test_a_version_does_not_differ_from_itself(
    store: Store, adapter: Adapter, tmp_path: Path
) -> None:
    version = publish(store, adapter, tmp_path / "source")
    assert comparison.facts(store, version, version) == {}
    assert all(
        change.distance < 1e-6 * change.old for change in comparison.weights(version, version)
    )


def test_what_is_said_differs_by_path(store: Store, base: Path, tmp_path: Path) -> None:
    old = publish(store, make_adapter(base, rank=4), tmp_path / "old")
    new = publish(store, make_adapter(base, rank=8), tmp_path / "new")
    store.record_evaluation("tales", 2, {"correct": 0.5})
    assert comparison.facts(store, old, new) == {
        "lora.rank": (4, 8),
        "evaluation.correct": (None, 0.5),
    }


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 100])
def test_damaged_weights_are_named(
    content: bytes, store: Store, adapter: Adapter, tmp_path: Path
) -> None:
    version = publish(store, adapter, tmp_path / "source")
    (version.path / "adapter_model.safetensors").write_bytes(content)
    with pytest.raises(VersionDamaged, match="cannot be read"):
        comparison.weights(version, version)
    (version.path / "adapter_model.safetensors").unlink()
    with pytest.raises(VersionDamaged, match="No such file"):
        comparison.weights(version, version)
