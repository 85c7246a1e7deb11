"""The gate lets good adapters of every architecture in, and nothing that was altered since."""

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from adapters import gate, integrity, kinds
from adapters.findings import Findings
from adapters.manifest import LoraFacts
from adapters.store import Store
from basemodels import BaseModelError
from tests.adapters.making import (
    CONFIGS,
    Adapter,
    make_adapter,
    make_base,
    safetensors,
    with_header,
)

WEIGHTS = "adapter_model.safetensors"
FILES = {WEIGHTS, "adapter_config.json"}
GATED_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
GOOD: list[tuple[str, dict[str, object]]] = [
    *[(architecture, {}) for architecture in CONFIGS],
    ("LlamaForCausalLM", {"dtype": "float16"}),
    ("LlamaForCausalLM", {"dtype": "bfloat16"}),
    ("GPT2LMHeadModel", {"dtype": "float16"}),
    ("GPT2LMHeadModel", {"dtype": "bfloat16"}),
    ("LlamaForCausalLM", {"rslora": True}),
    ("MistralForCausalLM", {"rank": 64}),
    ("Qwen2ForCausalLM", {"targets": GATED_TARGETS}),
    ("LlamaForCausalLM", {"targets": ["q_proj", "v_proj"], "ranks": {"v_proj": 2}}),
    ("LlamaForCausalLM", {"ranks": {"model.layers.1.self_attn.q_proj": 2}}),
    ("GPT2LMHeadModel", {"targets": ["c_attn", "c_proj", "c_fc"]}),
    ("GPTBigCodeForCausalLM", {"targets": ["attn.c_proj"]}),
    ("GPTNeoXForCausalLM", {"targets": ["query_key_value", "dense_4h_to_h"], "rank": 1}),
    ("FalconForCausalLM", {"targets": ["query_key_value", "dense"]}),
]


@pytest.mark.parametrize(("architecture", "options"), GOOD)
def test_good_adapters_are_let_in(
    architecture: str, options: dict[str, object], tmp_path: Path, store: Store
) -> None:
    base = make_base(tmp_path / "base", architecture)
    adapter = make_adapter(base, **options)  # type: ignore[arg-type] # each row is a keyword set
    source = adapter.write(tmp_path / "source")
    version = store.publish("good", source, adapter.draft(), base_dir=base)
    assert gate.check(version.path, base) == []


def test_there_are_twenty_good_ones_of_every_architecture() -> None:
    assert len(GOOD) >= 20
    assert {architecture for architecture, _ in GOOD} == set(CONFIGS)


def test_a_device_is_no_file(tmp_path: Path) -> None:
    """Only root can make one, so the kind of the system's own is put in a listing."""

    class Device:
        name = "loss.png"

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            return Path("/dev/null").stat(follow_symlinks=follow_symlinks)

    class Listing(list[Device]):
        def __enter__(self) -> Iterator[Device]:
            return iter(self)

        def __exit__(self, *error: object) -> None:
            pass

    findings = Findings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", lambda _: Listing([Device()]))
        assert kinds.check(tmp_path, 1 << 20, findings) == []
    assert ("file_not_regular", "loss.png") in {(f.code, f.file) for f in findings.all()}


def test_known_files_beside_the_weights_are_let_in(adapter: Adapter, tmp_path: Path) -> None:
    adapter.extra = {
        "README.md": b"# An adapter",
        "loss.png": b"\x89PNG",
        "chat_template.jinja": b"{{ messages[0].content }}",
        "tokenizer.json": (adapter.base / "tokenizer.json").read_bytes(),
        "tokenizer_config.json": b'{"added_tokens_decoder": {"1": {"content": "</s>"}}}',
        "special_tokens_map.json": b"{}",
    }
    assert gate.check(adapter.write(tmp_path / "whole"), adapter.base) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"layers_to_transform": [0]},
        {"layers_to_transform": 0},
        {"exclude_modules": ["model.layers.1.self_attn.q_proj"]},
    ],
    ids=str,
)
def test_layers_left_out_on_purpose_may_be_absent(
    changes: dict[str, object], adapter: Adapter, tmp_path: Path
) -> None:
    adapter.arrays = {name: a for name, a in adapter.arrays.items() if "layers.0." in name}
    adapter.config |= changes
    assert gate.check(adapter.write(tmp_path / "part"), adapter.base) == []


def test_a_base_in_the_hubs_cache_goes_by_its_hub_id(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--owner--tiny" / "snapshots" / "abc"
    base = make_base(snapshot)
    adapter = make_adapter(base)
    adapter.config["base_model_name_or_path"] = "owner/tiny"
    assert gate.check(adapter.write(tmp_path / "one"), base) == []
    adapter.config["base_model_name_or_path"] = "owner/other"
    found = gate.check(adapter.write(tmp_path / "two"), base)
    assert [finding.code for finding in found] == ["base_differs"]


def test_a_copy_of_the_base_under_another_name_is_the_same_base(tmp_path: Path) -> None:
    here, there = make_base(tmp_path / "here"), make_base(tmp_path / "there")
    adapter = make_adapter(there)
    assert gate.check(adapter.write(tmp_path / "adapter"), here) == []


def test_version_of_another_base_is_refused_by_digest(store: Store, tmp_path: Path) -> None:
    base = make_base(tmp_path / "one" / "tiny")
    other = make_base(tmp_path / "two" / "tiny", rope_theta=5.0)
    (other / "tokenizer.json").write_text("{}")
    adapter = make_adapter(base)
    version = store.publish("a", adapter.write(tmp_path / "source"), adapter.draft(), base_dir=base)
    codes = {finding.code for finding in gate.check(version.path, other)}
    assert codes == {"base_config_differs", "tokenizer_differs"}


def test_saving_the_base_again_with_another_library_keeps_its_digest(
    store: Store, adapter: Adapter, tmp_path: Path
) -> None:
    source = adapter.write(tmp_path / "source")
    version = store.publish("a", source, adapter.draft(), base_dir=adapter.base)
    path = adapter.base / "config.json"
    config = json.loads(path.read_text()) | {"transformers_version": "9", "dtype": "float16"}
    path.write_text(json.dumps(config, indent=4, sort_keys=True))
    assert gate.check(version.path, adapter.base) == []


def test_a_limit_of_the_engine_counts(adapter: Adapter, tmp_path: Path) -> None:
    directory = adapter.write(tmp_path / "adapter")
    assert gate.check(directory, adapter.base, max_rank=4) == []
    codes = [finding.code for finding in gate.check(directory, adapter.base, max_rank=3)]
    assert codes == ["rank_too_high"]


def test_a_base_that_cannot_be_read_is_not_the_adapters_fault(
    adapter: Adapter, tmp_path: Path
) -> None:
    with pytest.raises(BaseModelError, match="Cannot read the base model"):
        gate.check(adapter.write(tmp_path / "adapter"), tmp_path)


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({}, []),
        ({"rank": 257}, ["rank_too_high"]),
        ({"rank": 0}, ["rank_invalid"]),
        ({"alpha": -1.0}, ["alpha_invalid"]),
        ({"alpha": 1e6}, ["scale_out_of_range"]),
        ({"rank": 16, "alpha": 1000.0}, []),
        ({"rank": 16, "alpha": 1000.0, "rslora": True}, ["scale_out_of_range"]),
        ({"targets": []}, ["targets_invalid"]),
        ({"targets": ["q_proj", "lm_head", "c_attn"]}, ["target_not_servable"] * 2),
    ],
)
def test_a_lora_is_judged_before_it_is_trained(
    facts: dict[str, object], codes: list[str], base: Path
) -> None:
    lora = LoraFacts(rank=8, alpha=16.0, targets=["q_proj"], rslora=False)
    found = gate.check_lora(lora.model_copy(update=facts), base)
    assert [finding.code for finding in found] == codes


def test_a_draft_is_compared_with_the_adapter_before_it_is_published(
    adapter: Adapter, tmp_path: Path
) -> None:
    directory, draft = adapter.write(tmp_path / "adapter"), adapter.draft()
    assert gate.check_draft(draft, directory, adapter.base) == []
    other = draft.model_copy(update={"lora": draft.lora.model_copy(update={"rank": 5})})
    (finding,) = gate.check_draft(other, directory, adapter.base)
    assert finding.code == "manifest_disagrees"
    (directory / "adapter_config.json").unlink()
    assert gate.check_draft(other, directory, adapter.base) == []


def test_a_manifest_is_compared_with_the_adapter_beside_it(
    store: Store, adapter: Adapter, tmp_path: Path
) -> None:
    source = adapter.write(tmp_path / "source")
    version = store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    path = version.path / "manifest.json"
    document = json.loads(path.read_text())
    document["lora"]["rank"] = 5
    path.write_text(json.dumps(document))
    (finding,) = gate.check(version.path, adapter.base)
    assert (finding.code, finding.file) == ("manifest_disagrees", "manifest.json")


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_that_cannot_be_read_is_named(
    name: str, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = adapter.write(tmp_path / "adapter")
    real = os.open

    def refuse(path: Path, *args: int) -> int:
        if Path(path) == directory / name:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args)

    monkeypatch.setattr(os, "open", refuse)
    (finding,) = gate.check(directory, adapter.base)
    assert str(finding) == (
        f"[file_unreadable] in {name}: It cannot be read (Permission denied). Expected a plain file "
        "that nobody changes meanwhile. Check its owner, its mode and the disk."
    )


def test_our_reading_of_a_file_agrees_with_the_library(adapter: Adapter, tmp_path: Path) -> None:
    directory = adapter.write(tmp_path / "saved")
    (directory / WEIGHTS).write_bytes(save(adapter.arrays, metadata={"format": "pt"}))
    assert gate.check(directory, adapter.base) == []


@pytest.mark.parametrize(
    ("count", "code"), [(0, "no_tensors"), (28, "key_unknown"), (29, "tensor_count")]
)
def test_the_base_bounds_the_number_of_tensors(
    count: int, code: str, adapter: Adapter, tmp_path: Path
) -> None:
    """The smallest file there is has ten bytes; this base has room for 14 pairs."""
    directory = adapter.write(tmp_path / "adapter")
    header = {f"t{n}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for n in range(count)}
    (directory / WEIGHTS).write_bytes(with_header(json.dumps(header).encode()))
    assert code in [finding.code for finding in gate.check(directory, adapter.base)]


@given(data=st.data())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_mutated_adapter_is_refused_or_holds_the_same_tensors(
    data: st.DataObject, adapter: Adapter, store: Store, tmp_path: Path
) -> None:
    directory = adapter.write(tmp_path / "mutated")
    if not store.versions("good"):
        store.publish("good", directory, adapter.draft(), base_dir=adapter.base)
    version = store.version("good", 1)
    original = safetensors(adapter.arrays)
    mutated = bytearray(original)
    header_bytes = struct.unpack("<Q", original[:8])[0] + 8
    for _ in range(data.draw(st.integers(1, 4))):
        # Most of the file is tensor bytes, most of what can go wrong is in the header.
        end = data.draw(st.sampled_from([8, header_bytes, len(mutated)]))
        position = data.draw(st.integers(0, min(end, len(mutated)) - 1))
        fresh = data.draw(st.sampled_from([b"", b'"', b"}", b"0", b"\xff", b"\x80\x7f", b" "]))
        mutated[position : position + data.draw(st.integers(0, 2))] = fresh
    (directory / WEIGHTS).write_bytes(mutated)
    if not gate.check(directory, adapter.base):
        loaded = load(bytes(mutated))
        shapes = {name: array.shape for name, array in loaded.items()}
        assert shapes == {name: array.shape for name, array in adapter.arrays.items()}
        assert all(np.isfinite(array).all() for array in loaded.values())
        findings = Findings()
        integrity.check_files(version.manifest, directory, sorted(FILES), findings)
        assert (bytes(mutated) == original) == (len(findings) == 0)


@given(data=st.data())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_mutated_configuration_never_ends_in_an_unexpected_error(
    data: st.DataObject, adapter: Adapter, tmp_path: Path
) -> None:
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=5,
    )
    key = data.draw(st.sampled_from(sorted(adapter.config)) | st.text(max_size=8))
    directory = adapter.write(tmp_path / "mutated")
    changed = adapter.config | {key: data.draw(anything)}
    (directory / "adapter_config.json").write_text(json.dumps(changed))
    for finding in gate.check(directory, adapter.base):
        assert finding.file == "adapter_config.json" or finding.code in {
            "module_not_targeted",
            "rank_mismatch",
        }
