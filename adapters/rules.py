"""Which configurations may be trained and served: everything the engine refuses or silently drops.

Works on the configuration and the base model's module list alone, so it runs before training too.
"""

from pathlib import Path

from adapters import bases
from adapters.findings import Findings, shown
from adapters.layout import CONFIG
from adapters.peftconfig import PeftConfig, ends_of

Shapes = dict[str, tuple[int, int]]

MIN_SCALE, MAX_SCALE = 1e-4, 128.0
# Options that alter the model in ways that are not served, with what the message calls them.
UNSUPPORTED: dict[str, tuple[str, str]] = {
    "use_dora": ("dora", "DoRA"),
    "lora_bias": ("bias", "a bias in LoRA"),
    "modules_to_save": ("modules_to_save", "whole modules trained beside LoRA"),
    "alora_invocation_tokens": ("alora", "activated LoRA"),
    "layer_replication": ("option_unsupported", "replicated layers"),
    "use_qalora": ("option_unsupported", "QALoRA"),
    "use_bdlora": ("option_unsupported", "block-diagonal LoRA"),
    "trainable_token_indices": ("option_unsupported", "trained tokens"),
    "target_parameters": ("option_unsupported", "LoRA on parameters"),
    "megatron_config": ("option_unsupported", "Megatron"),
    "velora_config": ("option_unsupported", "VeLoRA"),
    "monteclora_config": ("option_unsupported", "MonteCLoRA"),
    "arrow_config": ("option_unsupported", "Arrow"),
    "kasa_config": ("option_unsupported", "KaSA"),
    "ensure_weight_tying": ("option_unsupported", "tied adapters"),
}
# Options that matter only while training, or are read elsewhere in this package.
HARMLESS = {
    "alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "corda_config",
    "eva_config", "exclude_modules", "fan_in_fan_out", "inference_mode", "init_lora_weights",
    "layers_pattern", "layers_to_transform", "loftq_config", "lora_alpha", "lora_dropout", "lora_ga_config",
    "megatron_core", "peft_type", "peft_version", "qalora_group_size", "r", "rank_pattern",
    "revision", "runtime_config", "target_modules", "task_type", "use_rslora",
}  # fmt: skip
PLAIN_INITS = {"gaussian", "eva", "orthogonal", "mica", "lora_ga"}


def check(config: PeftConfig, shapes: Shapes, max_rank: int, findings: Findings) -> None:
    """Check a saved configuration against the linear layers of the base model."""
    _check_kind(config.raw, findings)
    _check_options(config.raw, findings)
    check_numbers(config, max_rank, findings)
    check_targets(config, shapes, findings)
    _check_pattern_keys(config, shapes, findings)


def check_base(config: PeftConfig, base_dir: Path, findings: Findings) -> None:
    """Check that the base model in `base_dir` is what the configuration names, if it names one.

    Raises:
        BaseModelError: The base model's own configuration cannot be read.
    """
    if config.base is not None and not bases.is_called(base_dir, config.base):
        findings.add(
            "base_differs",
            CONFIG,
            f"It was made for {shown(config.base)}, the base model here is {shown(str(base_dir))}. "
            "Verify it with that base; if both are the same model, write the name of this one into "
            "base_model_name_or_path.",
        )


def check_numbers(config: PeftConfig, max_rank: int, findings: Findings) -> None:
    """Check ranks and scales, those of the patterns too."""
    ranks = {"r": config.rank}
    ranks |= {f"rank_pattern[{name}]": rank for name, rank in config.rank_pattern.items()}
    for place, rank in ranks.items():
        if rank > max_rank:
            findings.add(
                "rank_too_high",
                CONFIG,
                f"{shown(place)} is {rank}, expected at most {max_rank}. Train with a lower rank, "
                "or start the engine with a higher one.",
            )
    for name in ("", *config.rank_pattern, *config.alpha_pattern):
        scale = config.scale_of(name)
        if not MIN_SCALE <= scale <= MAX_SCALE:
            findings.add(
                "scale_out_of_range",
                CONFIG,
                f"The scale{f' of {shown(name)}' if name else ''} from lora_alpha and r is "
                f"{scale:g}, expected {MIN_SCALE:g} to {MAX_SCALE:g}. Correct lora_alpha.",
            )


def check_targets(config: PeftConfig, shapes: Shapes, findings: Findings) -> None:
    """Check that every target names something the base model has and LoRA serves."""
    ends, known = _ends(shapes), sorted({module.rpartition(".")[2] for module in shapes})
    for target in sorted(config.targets) if config.by_name else []:
        if target not in ends:
            findings.add(
                "target_not_servable",
                CONFIG,
                f"The target {shown(target)} is no linear layer of the base model. Expected some "
                f"of {', '.join(known)}. Train on those.",
            )


def _check_pattern_keys(config: PeftConfig, shapes: Shapes, findings: Findings) -> None:
    """PEFT and the engine read the keys as patterns, in which a dot is any character."""
    ends = _ends(shapes)
    for key in {**config.rank_pattern, **config.alpha_pattern}:
        if "." in key and key not in ends:
            findings.add(
                "pattern_regex",
                CONFIG,
                f"The pattern {shown(key)} names no linear layer of the base model, but its dots "
                "would match any character. Write the path of the module, or its last name.",
            )


def _ends(shapes: Shapes) -> set[str]:
    return {end for module in shapes for end in ends_of(module)}


def _check_kind(options: dict[str, object], findings: Findings) -> None:
    if options.get("peft_type") != "LORA":
        findings.add(
            "peft_type",
            CONFIG,
            f"peft_type is {shown(options.get('peft_type'))}, expected 'LORA'. Train a LoRA.",
        )
    if options.get("task_type") not in (None, "CAUSAL_LM"):
        findings.add(
            "task_type",
            CONFIG,
            f"task_type is {shown(options.get('task_type'))}, expected 'CAUSAL_LM'. Train for "
            "text generation.",
        )
    if options.get("bias", "none") != "none":
        findings.add(
            "bias",
            CONFIG,
            f"bias is {shown(options.get('bias'))}, expected 'none': biases are not served. Train "
            "without.",
        )
    init = options.get("init_lora_weights")
    plain = isinstance(init, bool) or init is None
    if not plain and not (isinstance(init, str) and init.lower() in PLAIN_INITS):
        findings.add(
            "init_modifies_base",
            CONFIG,
            f"init_lora_weights is {shown(init)}, which changes the base model's own weights. "
            "Save with PEFT's path_initial_model_for_weight_conversion, or train with "
            f"true or one of {', '.join(sorted(PLAIN_INITS))}.",
        )


def _check_options(options: dict[str, object], findings: Findings) -> None:
    for key, value in options.items():
        if value is None or value is False or value in ([], {}, ""):
            continue
        if key in UNSUPPORTED:
            code, name = UNSUPPORTED[key]
            findings.add(
                code,
                CONFIG,
                f"{key} is {shown(value)}: {name} is not served, it would be dropped silently. "
                "Train without it.",
            )
        elif key not in HARMLESS:
            findings.add(
                "option_unknown",
                CONFIG,
                f"{shown(key)} is {shown(value)}, an option nothing here knows, so what it does "
                "to the model is unknown. Remove it if it only matters for training.",
            )
