"""An adapter made elsewhere is judged like one of ours, however it calls its base and its targets."""

import json
from pathlib import Path

import pytest

from adapters import gate
from adapters.cli import main
from adapters.importing import import_adapter
from adapters.store import Store
from basemodels import CATALOGUE
from tests.adapters.making import Adapter, make_adapter, make_base

ENTRY = CATALOGUE["smollm2-135m-instruct"]
ALL_LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
# What PEFT 0.21 writes beside the options that matter, and what a later one may add.
WRITTEN_BY_PEFT: dict[str, object] = {
    "alora_invocation_tokens": None,
    "alpha_pattern": {},
    "arrow_config": None,
    "auto_mapping": {"base_model_class": "LlamaForCausalLM", "parent_library": "transformers"},
    "corda_config": None,
    "ensure_weight_tying": False,
    "eva_config": None,
    "exclude_modules": None,
    "fan_in_fan_out": False,
    "inference_mode": True,
    "layer_replication": None,
    "layers_pattern": None,
    "layers_to_transform": None,
    "loftq_config": {},
    "lora_bias": False,
    "megatron_config": None,
    "megatron_core": "megatron.core",
    "peft_version": "0.99.0",
    "qalora_group_size": 16,
    "revision": None,
    "target_parameters": None,
    "trainable_token_indices": None,
    "use_bdlora": None,
    "use_dora": False,
    "use_qalora": False,
    "an_option_of_the_future": None,
    "another_of_the_future": False,
    "and_its_settings": {},
}


def codes(adapter: Adapter, directory: Path) -> list[str]:
    return [finding.code for finding in gate.check(adapter.write(directory), adapter.base)]


@pytest.mark.parametrize(
    "changes",
    [
        WRITTEN_BY_PEFT,
        {"task_type": None},
        {"init_lora_weights": "Gaussian"},
        {"init_lora_weights": "eva", "eva_config": {"rho": 2.0}},
        {"target_modules": r".*\.self_attn\.q_proj"},
        {"target_modules": r"model\.layers\.\d+\.self_attn\.(q_proj|k_proj)"},
        {"target_modules": ["self_attn.q_proj", "self_attn.q_proj"]},
        {"exclude_modules": r".*lm_head.*"},
        {"exclude_modules": []},
        {"layers_to_transform": [0, 1], "layers_pattern": "layers"},
        {"layers_to_transform": [0, 1], "layers_pattern": ["layers"]},
        {"rank_pattern": {"never_there": 8}},
        {"rank_pattern": {"self_attn.q_proj": 4}, "r": 16},
        {"rank_pattern": None, "alpha_pattern": None},
        {"alpha_pattern": {"q_proj": 16, "model.layers.0.self_attn.q_proj": 32}},
    ],
    ids=lambda changes: ",".join(changes)[:40],
)
def test_what_peft_writes_is_let_in(
    changes: dict[str, object], adapter: Adapter, tmp_path: Path
) -> None:
    adapter.config |= changes
    assert codes(adapter, tmp_path / "adapter") == []


@pytest.mark.parametrize(
    "kept",
    [["peft_type", "r", "lora_alpha", "target_modules"]],
)
def test_options_that_have_a_default_may_be_absent(
    kept: list[str], adapter: Adapter, tmp_path: Path
) -> None:
    adapter.config = {key: adapter.config[key] for key in kept}
    assert codes(adapter, tmp_path / "adapter") == []


@pytest.mark.parametrize("word", ["all-linear", "All-Linear"])
def test_all_linear_means_every_one(word: str, base: Path, tmp_path: Path) -> None:
    whole, part = make_adapter(base, targets=ALL_LINEAR), make_adapter(base)
    whole.config["target_modules"] = part.config["target_modules"] = word
    assert codes(whole, tmp_path / "whole") == []
    assert set(codes(part, tmp_path / "part")) == {"module_missing"}


def test_the_first_pattern_that_names_a_module_counts(base: Path, tmp_path: Path) -> None:
    adapter = make_adapter(base, ranks={"q_proj": 2})
    adapter.config["rank_pattern"] = {"q_proj": 2, "model.layers.0.self_attn.q_proj": 8}
    assert codes(adapter, tmp_path / "short first") == []
    adapter.config["rank_pattern"] = {"model.layers.0.self_attn.q_proj": 8, "q_proj": 2}
    assert codes(adapter, tmp_path / "long first") == ["rank_mismatch"] * 2


@pytest.mark.parametrize(
    "name",
    [
        "TINY-llama",
        "hub-owner/tiny-llama",
        "hub-owner/tiny-llama@main",
        "/elsewhere/tiny-llama/",
        "./tiny-llama",
        "../bases/tiny-llama",
        "C:\\models\\tiny-llama",
        "/cache/hub/models--hub-owner--tiny-llama/snapshots/0123456789abcdef",
        "",
        None,
    ],
)
def test_a_base_may_go_by_several_names(name: str | None, adapter: Adapter, tmp_path: Path) -> None:
    adapter.config["base_model_name_or_path"] = name
    assert codes(adapter, tmp_path / "renamed") == []


@pytest.mark.parametrize(
    "name", [".", "..", "/", "\\", "~", "~/other", "owner/tiny", "llama", "x@tiny-llama"]
)
def test_what_is_no_name_of_the_base_is_refused(
    name: str, adapter: Adapter, tmp_path: Path
) -> None:
    adapter.config["base_model_name_or_path"] = name
    assert codes(adapter, tmp_path / "renamed") == ["base_differs"]


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base of the catalogue, as if it had been fetched."""
    monkeypatch.setenv("LORADOCK_CACHE", str(tmp_path / "cache"))
    return make_base(tmp_path / "cache" / "bases" / ENTRY.name)


@pytest.mark.parametrize("said", ["name", "hub", "directory"])
@pytest.mark.parametrize("asked", ["name", "hub", "directory", "nothing"])
def test_name_hub_id_and_directory_of_a_base_mean_the_same(
    said: str,
    asked: str,
    fetched: Path,
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {"name": ENTRY.name, "hub": ENTRY.hub_id, "directory": str(fetched)}
    adapter = make_adapter(fetched)
    adapter.config["base_model_name_or_path"] = names[said]
    source = adapter.write(tmp_path / "source")
    asking = [] if asked == "nothing" else ["--base", names[asked]]
    assert main(["verify", str(source), *asking, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "findings": []}
    version = import_adapter(store, "mine", str(source), base=names.get(asked)).version
    assert version.manifest.base.id == names.get(asked, names[said])
    assert gate.check(version.path, fetched) == []


def test_a_fetched_base_under_another_name_is_known_by_its_configuration(
    fetched: Path, tmp_path: Path
) -> None:
    elsewhere = make_base(tmp_path / "elsewhere")
    adapter = make_adapter(elsewhere)
    adapter.config["base_model_name_or_path"] = ENTRY.hub_id
    assert codes(adapter, tmp_path / "one") == []
    (fetched / "config.json").write_text('{"architectures": ["OtherForCausalLM"]}')
    assert codes(adapter, tmp_path / "two") == ["base_differs"]


def test_a_base_that_was_renamed_keeps_its_versions(
    adapter: Adapter, store: Store, tmp_path: Path
) -> None:
    """The digests of a manifest say more than a name; without them the name counts."""
    source = adapter.write(tmp_path / "source")
    version = store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    renamed = adapter.base.rename(tmp_path / "renamed")
    assert gate.check(version.path, renamed) == []
    assert [finding.code for finding in gate.check(source, renamed)] == ["base_differs"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("targets", ["all-linear", r".*\.(q_proj|up_proj)", ["v_proj"]])
def test_what_peft_itself_saves_is_let_in(targets: str | list[str], tmp_path: Path) -> None:
    peft, torch, transformers = (
        pytest.importorskip(name) for name in ("peft", "torch", "transformers")
    )
    base = make_base(tmp_path / "tiny")
    options = json.loads((base / "config.json").read_text())
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**options))
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        target_modules=targets,
        r=4,
        lora_alpha=8,
        init_lora_weights=False,
        base_model_name_or_path="tiny",
    )
    tuned = peft.get_peft_model(model, config)
    torch.manual_seed(0)
    tuned.save_pretrained(tmp_path / "saved", save_embedding_layers=False)
    assert list(map(str, gate.check(tmp_path / "saved", base))) == []
