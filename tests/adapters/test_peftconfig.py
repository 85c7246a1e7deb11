"""How options are read, and which modules, ranks and scales they mean."""

import json
from typing import Any

import pytest

from adapters import peftconfig, rules
from adapters.findings import Findings
from adapters.peftconfig import PeftConfig

LIMIT = peftconfig.MAX_RANK
Q = "model.layers.1.self_attn.q_proj"
SHAPES = {f"model.layers.{n}.self_attn.{p}_proj": (4, 4) for n in range(3) for p in "qk"}


def read(**options: object) -> tuple[PeftConfig | None, list[str]]:
    findings = Findings()
    whole = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]} | options
    config = peftconfig.read(json.dumps(whole).encode(), findings)
    return config, [finding.code for finding in findings.all()]


def good(**options: object) -> PeftConfig:
    config, codes = read(**options)
    assert codes == []
    assert config is not None
    return config


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"r": 1}, None),
        ({"r": LIMIT}, None),
        ({"r": LIMIT + 1}, "rank_invalid"),
        ({"r": 0}, "rank_invalid"),
        ({"r": None}, "rank_invalid"),
        ({"r": 4.0}, "rank_invalid"),
        ({"lora_alpha": 1e-3}, None),
        ({"lora_alpha": 999_999_999}, None),
        ({"lora_alpha": 1e9}, "alpha_invalid"),
        ({"lora_alpha": 0}, "alpha_invalid"),
        ({"lora_alpha": True}, "alpha_invalid"),
        ({"lora_alpha": "8"}, "alpha_invalid"),
        ({"target_modules": "q" * 1024}, None),
        ({"target_modules": "q" * 1025}, "targets_invalid"),
        ({"target_modules": "(a|b)?"}, None),
        ({"target_modules": "(a)*"}, "targets_invalid"),
        ({"target_modules": "(a) +"}, "targets_invalid"),
        ({"target_modules": "(a){2}"}, "targets_invalid"),
        ({"target_modules": ["(a)*"]}, None),
        ({"target_modules": ["q", 7]}, "targets_invalid"),
        ({"target_modules": ""}, "targets_invalid"),
        ({"target_modules": {}}, "targets_invalid"),
        ({"exclude_modules": [""]}, "option_type"),
        ({"exclude_modules": True}, "option_type"),
        ({"use_rslora": None}, None),
        ({"use_rslora": 1}, "option_type"),
        ({"base_model_name_or_path": "x" * 4095}, None),
        ({"base_model_name_or_path": "x" * 4096}, "option_type"),
        ({"base_model_name_or_path": "a\0b"}, "option_type"),
        ({"layers_to_transform": []}, "option_type"),
        ({"layers_to_transform": [0, "1"]}, "option_type"),
        ({"rank_pattern": {f"x{n}": 1 for n in range(4096)}}, None),
        ({"rank_pattern": {f"x{n}": 1 for n in range(4097)}}, "option_type"),
        ({"rank_pattern": {"q": LIMIT + 1}}, "pattern_value"),
        ({"rank_pattern": {"q": 1.5}}, "pattern_value"),
        ({"rank_pattern": {"q": True}}, "pattern_value"),
        ({"alpha_pattern": {"q": 1.5}}, None),
        ({"alpha_pattern": {"q": 0}}, "pattern_value"),
        ({"rank_pattern": {"": 1}}, "pattern_regex"),
        ({"rank_pattern": {"a..b": 1}}, "pattern_regex"),
        ({"rank_pattern": {"a.b_1": 1}}, None),
        ({"rank_pattern": {"a-b": 1}}, "pattern_regex"),
    ],
)
def test_options_have_types_and_limits(options: dict[str, Any], code: str | None) -> None:
    config, codes = read(**options)
    assert codes == ([code] if code else [])
    needed = {"rank_invalid", "alpha_invalid", "targets_invalid"}
    assert (config is None) == (code in needed)


def test_what_cannot_be_read_is_left_out_and_the_rest_kept() -> None:
    config, codes = read(rank_pattern={"q_proj": 2, "k proj": 3, "v_proj": 0}, use_rslora="yes")
    assert config is not None
    assert config.rank_pattern == {"q_proj": 2}
    assert config.rslora is False
    assert codes == ["option_type", "pattern_regex", "pattern_value"]


def test_plain_options_are_read_as_they_stand() -> None:
    config = good(
        use_rslora=True,
        exclude_modules=["k_proj"],
        layers_to_transform=[0, 2],
        base_model_name_or_path="owner/name",
        alpha_pattern={"q_proj": 3},
    )
    assert (config.rank, config.alpha, config.rslora) == (4, 8.0, True)
    assert config.targets == {"q_proj"}
    assert config.excluded == {"k_proj"}
    assert sorted(config.layers or []) == [0, 2]
    assert config.base == "owner/name"
    assert config.alpha_pattern == {"q_proj": 3.0}
    assert config.raw["r"] == 4


def test_a_module_is_meant_by_its_path_and_by_every_end_of_it() -> None:
    assert peftconfig.ends_of("a.b.c") == {"a.b.c", "b.c", "c"}
    assert peftconfig.layer_of(Q) == 1
    assert peftconfig.layer_of("lm_head") is None
    for name, meant in ((Q, True), ("q_proj", True), ("self_attn.q_proj", True), ("_proj", False)):
        assert good(target_modules=[name]).targeted(Q) == meant


def test_excluded_modules_and_other_layers_are_not_meant() -> None:
    assert not good(exclude_modules=["self_attn.q_proj"]).targeted(Q)
    assert good(exclude_modules=["k_proj"]).targeted(Q)
    assert good(layers_to_transform=[1]).targeted(Q)
    assert not good(layers_to_transform=0).targeted(Q)


@pytest.mark.parametrize(
    ("options", "by_name", "complete"),
    [
        ({}, True, True),
        ({"target_modules": "all-linear"}, False, True),
        ({"target_modules": "ALL-LINEAR"}, False, True),
        ({"target_modules": ".*q_proj"}, False, False),
        ({"exclude_modules": ".*q_proj"}, True, False),
        ({"exclude_modules": ["q_proj"]}, True, True),
    ],
)
def test_a_pattern_leaves_open_which_modules_are_meant(
    options: dict[str, object], by_name: bool, complete: bool
) -> None:
    config = good(**options)
    assert (config.by_name, config.complete) == (by_name, complete)
    assert config.targets == {options.get("target_modules", "q_proj")}
    assert config.targeted("anything.v_proj") == (not by_name)


def test_ranks_and_scales_follow_the_first_pattern_that_fits() -> None:
    config = good(
        rank_pattern={"q_proj": 2, Q: 16, "k_proj": 1}, alpha_pattern={"layers.9.q": 1, Q: 32}
    )
    assert config.rank_of(Q) == 2
    assert config.scale_of(Q) == 16.0
    assert config.scale_of("model.v_proj") == 2.0
    assert config.scale_of("model.k_proj") == 8.0
    assert good(rank_pattern={Q: 16, "q_proj": 2}).rank_of(Q) == 16
    assert good(r=16, use_rslora=True).scale_of(Q) == 2.0


@pytest.mark.parametrize(
    ("raw", "base"),
    [
        (b'{"base_model_name_or_path": "x", "r": 0}', "x"),
        (b'{"base_model_name_or_path": ""}', None),
        (b'{"base_model_name_or_path": 7}', None),
        (b"{}", None),
        (b"[]", None),
        (b"{", None),
        (b'{"r": 1, "r": 2}', None),
    ],
)
def test_the_base_is_read_whatever_else_is_wrong(raw: bytes, base: str | None) -> None:
    assert peftconfig.named_base(raw) == base


@pytest.mark.parametrize(
    ("options", "max_rank", "codes"),
    [
        ({"r": 8, "lora_alpha": 8}, 8, []),
        ({"r": 9, "lora_alpha": 9}, 8, ["rank_too_high"]),
        ({"rank_pattern": {"q_proj": 9}}, 8, ["rank_too_high"]),
        ({"r": 1, "lora_alpha": 128}, 8, []),
        ({"r": 1, "lora_alpha": 128.5}, 8, ["scale_out_of_range"]),
        ({"r": 1, "lora_alpha": 1e-4}, 8, []),
        ({"r": 1, "lora_alpha": 0.9e-4}, 8, ["scale_out_of_range"]),
        ({"lora_alpha": 8, "rank_pattern": {"q_proj": 1}}, 8, []),
        ({"lora_alpha": 500, "rank_pattern": {"q_proj": 1}}, 8, ["scale_out_of_range"]),
        ({"alpha_pattern": {"q_proj": 1000}}, 8, ["scale_out_of_range"]),
        ({"r": 4, "lora_alpha": 257, "use_rslora": True}, 8, ["scale_out_of_range"]),
        ({"rank_pattern": {"self_attn.q_proj": 2}}, 8, []),
        ({"rank_pattern": {"nothing.q_proj": 2}}, 8, ["pattern_regex"]),
        ({"alpha_pattern": {"nothing.q_proj": 2}}, 8, ["pattern_regex"]),
        ({"alpha_pattern": {"nothing": 2}}, 8, []),
        ({"target_modules": ["q_proj", "x", "y"]}, 8, ["target_not_servable"] * 2),
        ({"target_modules": "x"}, 8, []),
    ],
)
def test_rules_have_limits(options: dict[str, Any], max_rank: int, codes: list[str]) -> None:
    findings = Findings()
    kind = {"peft_type": "LORA", "task_type": "CAUSAL_LM"}
    rules.check(good(**(kind | options)), SHAPES, max_rank, findings)
    assert [finding.code for finding in findings.all()] == codes


PLAIN: list[object] = [True, False, None, "gaussian", "eva", "orthogonal", "MiCA", "lora_ga"]
CHANGING: list[object] = ["pissa", "pissa_niter_16", "olora", "corda", "loftq", "", 1, [], {"a": 1}]
NOTHING: list[object] = [None, False, [], {}, ""]
OPTIONS: list[tuple[str, object, str | None]] = [
    *[("init_lora_weights", value, None) for value in PLAIN],
    *[("init_lora_weights", value, "init_modifies_base") for value in CHANGING],
    ("bias", "none", None),
    ("bias", "lora_only", "bias"),
    ("bias", None, "bias"),
    *[(key, value, None) for key in [*rules.UNSUPPORTED, "new"] for value in NOTHING],
    *[(key, value, code) for key, (code, _) in rules.UNSUPPORTED.items() for value in (True, 0)],
    *[("new", value, "option_unknown") for value in (True, 0, "x")],
]


@pytest.mark.parametrize(("key", "value", "code"), OPTIONS, ids=str)
def test_options_that_change_the_model_are_refused(
    key: str, value: object, code: str | None
) -> None:
    findings = Findings()
    options: dict[str, object] = {"peft_type": "LORA", key: value}
    rules.check(good(**options), SHAPES, 8, findings)
    assert [finding.code for finding in findings.all()] == ([code] if code else [])


def said(raw: bytes) -> list[str]:
    findings = Findings()
    peftconfig.read(raw, findings)
    return [str(finding) for finding in findings.all()]


CORRECT = "Correct the file or save the adapter again."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"r": 0}, f"[rank_invalid] in adapter_config.json: r is 0, expected a positive whole number up to 1048576. {CORRECT}"),
        ({"lora_alpha": "x"}, f"[alpha_invalid] in adapter_config.json: lora_alpha is 'x', expected a positive number below 1e9. {CORRECT}"),
        ({"target_modules": []}, f"[targets_invalid] in adapter_config.json: target_modules is [], expected a list of module names, all-linear or a pattern without repeated groups. {CORRECT}"),
        ({"exclude_modules": 7}, f"[option_type] in adapter_config.json: exclude_modules is 7, expected a list of module names, or one text. {CORRECT}"),
        ({"use_rslora": 1}, f"[option_type] in adapter_config.json: use_rslora is 1, expected true or false. {CORRECT}"),
        ({"base_model_name_or_path": 7}, f"[option_type] in adapter_config.json: base_model_name_or_path is 7, expected a text of less than 4096 characters. {CORRECT}"),
        ({"layers_to_transform": "x"}, f"[option_type] in adapter_config.json: layers_to_transform is 'x', expected whole numbers. {CORRECT}"),
        ({"rank_pattern": 7}, f"[option_type] in adapter_config.json: rank_pattern is 7, expected an object of at most 4096 entries. {CORRECT}"),
        ({"alpha_pattern": 7}, f"[option_type] in adapter_config.json: alpha_pattern is 7, expected an object of at most 4096 entries. {CORRECT}"),
        ({"rank_pattern": {"a*": 1}}, "[pattern_regex] in adapter_config.json: rank_pattern has the key 'a*', expected a literal module name. Write one entry per module; patterns of an adapter are never run."),
        ({"alpha_pattern": {"a": "x"}}, "[pattern_value] in adapter_config.json: alpha_pattern gives 'a' the value 'x', expected a positive number. Correct it."),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_option_is_said(options: dict[str, object], message: str) -> None:
    whole = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj"]} | options
    assert said(json.dumps(whole).encode()) == [message]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{", "[config_not_json] in adapter_config.json: It is not JSON ('Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'). Save the adapter again."),
        (b"[]", "[config_not_object] in adapter_config.json: It holds a JSON list, expected an object. Save the adapter again."),
        (b'{"r": 1, "r": 2}', "[config_duplicate_key] in adapter_config.json: In it, the key 'r' occurs twice. Keep one of them."),
    ],
)  # fmt: skip
def test_what_is_no_configuration_is_said_to_be_none(raw: bytes, message: str) -> None:
    assert said(raw) == [message]
