"""An exported adapter is what others load, shown with PEFT itself."""

import json
import tarfile
from pathlib import Path

import pytest

from adapters.errors import ExportRefused, VersionDamaged
from adapters.exporting import export
from adapters.store import Store, Version
from tests.adapters.making import Adapter


@pytest.fixture
def version(store: Store, adapter: Adapter, tmp_path: Path) -> Version:
    source = adapter.write(tmp_path / "source")
    return store.publish("tales", source, adapter.draft(), base_dir=adapter.base)


def test_a_directory_holds_the_published_bytes(
    store: Store, version: Version, tmp_path: Path
) -> None:
    target = export(store, version, tmp_path / "out")
    assert sorted(path.name for path in target.iterdir()) == sorted(
        path.name for path in version.path.iterdir()
    )
    for path in target.iterdir():
        assert path.read_bytes() == (version.path / path.name).read_bytes()
        assert not path.is_symlink()


def test_a_tar_holds_the_same_and_is_the_same_each_time(
    store: Store, version: Version, tmp_path: Path
) -> None:
    first, second = (export(store, version, tmp_path / name) for name in ("a.tar", "b.tar"))
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as tar:
        assert sorted(tar.getnames()) == sorted(
            f"tales/{path.name}" for path in version.path.iterdir()
        )


@pytest.mark.parametrize("name", ["taken", "no/such/directory"])
def test_nothing_is_overwritten(name: str, store: Store, version: Version, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(ExportRefused, match="it exists, or its directory does not"):
        export(store, version, tmp_path / name)


def test_a_damaged_version_is_not_given_away(
    store: Store, version: Version, tmp_path: Path
) -> None:
    (version.path / "adapter_config.json").write_text("{}")
    with pytest.raises(VersionDamaged, match="is not exported"):
        export(store, version, tmp_path / "out")
    (version.path / "adapter_config.json").unlink()
    with pytest.raises(VersionDamaged, match="is not exported"):
        export(store, version, tmp_path / "out.tar")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob("*out.tar*"))


@pytest.mark.filterwarnings("ignore")
def test_peft_loads_what_was_exported(
    store: Store, version: Version, adapter: Adapter, tmp_path: Path
) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoConfig, AutoModelForCausalLM

    options = json.loads((adapter.base / "config.json").read_text())
    config = AutoConfig.for_model("llama", **options)
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_config(config), str(export(store, version, tmp_path / "out"))
    )
    loaded = {name: value for name, value in model.named_parameters() if "lora_" in name}
    assert len(loaded) == len(adapter.arrays)
    for name, value in loaded.items():
        expected = adapter.arrays[name.replace(".default.", ".")]
        torch.testing.assert_close(value.detach(), torch.tensor(expected))
