"""What the gate reports: a stable reason code, a sentence with its remedy, and the file.

`REASONS` is the whole vocabulary; programs may rely on its codes.
"""

from collections import Counter
from dataclasses import dataclass

MAX_PER_CODE = 10
MAX_SHOWN = 80

REASONS: dict[str, str] = {
    # names and kinds of files
    "directory_missing": "there is no such directory",
    "too_many_files": "more files than an adapter has",
    "file_missing": "adapter_config.json or adapter_model.safetensors is absent",
    "file_unreadable": "a file cannot be opened or read",
    "file_not_allowed": "a file that is not part of an adapter",
    "pickle_file": "a file that only unpickling could read",
    "directory_not_allowed": "a directory inside the adapter",
    "file_is_link": "a symbolic link",
    "file_is_hard_linked": "a file with a second name elsewhere",
    "file_not_regular": "a FIFO, socket or device",
    "file_empty": "a file of zero bytes",
    "file_too_large": "a file above the limit of its kind",
    # the safetensors header
    "header_truncated": "the weights end before their header does",
    "header_too_large": "the header claims more than 1 MB",
    "header_not_json": "the header is not a JSON object",
    "header_duplicate_key": "the header names a tensor twice",
    "header_bad_entry": "a header entry lacks a proper dtype, shape or offsets",
    "header_offsets": "tensors overlap, leave gaps or do not have the size their shape needs",
    "file_length": "the file is shorter or longer than its header says",
    "dtype_not_allowed": "a tensor is not float32, float16 or bfloat16",
    "tensor_count": "more tensors than the base model has places for",
    # tensors against the base model
    "no_tensors": "there is nothing in the weights",
    "key_unknown": "a tensor name is not that of a LoRA weight",
    "module_unknown": "a tensor belongs to a module the base model does not have",
    "module_not_targeted": "a tensor belongs to a module that the configuration does not target",
    "module_missing": "a targeted module has no tensors",
    "lora_a_missing": "a lora_B without its lora_A",
    "lora_b_missing": "a lora_A without its lora_B",
    "shape_mismatch": "a tensor does not fit its module in the base model",
    "rank_mismatch": "a tensor has another rank than the configuration says",
    # values
    "not_finite": "a tensor holds NaN or infinity",
    "value_too_large": "a weight beyond what training produces",
    "norm_too_large": "an update that would drown the base model",
    "no_effect": "every update is next to zero, the adapter would answer like the base",
    # adapter_config.json
    "config_not_json": "adapter_config.json is not JSON",
    "config_duplicate_key": "adapter_config.json names an option twice",
    "config_not_object": "adapter_config.json is not a JSON object",
    "option_type": "an option has a value of the wrong type",
    "option_unsupported": "an option that changes the model and that is not served",
    "option_unknown": "an option that nothing here knows",
    "peft_type": "not a LoRA adapter",
    "task_type": "not an adapter of a causal language model",
    "rank_invalid": "the rank is not a positive whole number",
    "rank_too_high": "the rank is above what the engine was started with",
    "alpha_invalid": "alpha is not a positive finite number",
    "scale_out_of_range": "alpha over rank is above or below what training uses",
    "targets_invalid": "target_modules is neither a list of names nor one text",
    "target_not_servable": "a target that the base model does not have or cannot serve",
    "pattern_regex": "a pattern key is not a literal module name",
    "pattern_value": "a pattern value is not a rank or an alpha",
    "dora": "DoRA",
    "bias": "a trained bias",
    "modules_to_save": "whole modules trained beside LoRA",
    "init_modifies_base": "PiSSA, OLoRA, LoftQ or CorDA that was not converted",
    "alora": "activated LoRA",
    # base model and manifest
    "base_differs": "made for a base model of another name",
    "base_config_differs": "made for a base model of another configuration",
    "tokenizer_differs": "made with another tokenizer",
    "vocabulary_differs": "the adapter's tokenizer has tokens the base model does not",
    "manifest_invalid": "manifest.json is not a manifest",
    "manifest_disagrees": "the manifest says other than adapter_config.json",
    "file_changed": "a file is not the one that was published",
    "file_not_published": "a file that the manifest does not list",
}


@dataclass(frozen=True)
class Finding:
    """One reason to refuse an adapter.

    Attributes:
        code: A key of `REASONS`.
        message: What was found, what was expected and what to do.
        file: The file inside the adapter, or `None` for the whole.
    """

    code: str
    message: str
    file: str | None = None

    def __str__(self) -> str:
        """One line for people."""
        place = f" in {self.file}" if self.file else ""
        return f"[{self.code}]{place}: {self.message}"


class Findings:
    """Collects findings in order and keeps a flood of one kind short."""

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self._counts: Counter[tuple[str, str | None]] = Counter()

    def add(self, code: str, file: str | None, message: str) -> None:
        """Note one finding; beyond ten of a code in a file they are only counted."""
        if code not in REASONS:
            raise AssertionError(f"{code} is not in REASONS")
        self._counts[code, file] += 1
        if self._counts[code, file] <= MAX_PER_CODE:
            self._kept.append(Finding(code, message, file))

    def unreadable(self, file: str, error: OSError) -> None:
        """Note that a file could not be read."""
        self.add(
            "file_unreadable",
            file,
            f"It cannot be read ({error.strerror}). Expected a plain file that nobody changes "
            "meanwhile. Check its owner, its mode and the disk.",
        )

    def __len__(self) -> int:
        """How many were found, also those only counted."""
        return self._counts.total()

    def all(self) -> list[Finding]:
        """Everything found, with one line for what was only counted."""
        more = [
            Finding(code, f"and {count - MAX_PER_CODE} more of this kind.", file)
            for (code, file), count in self._counts.items()
            if count > MAX_PER_CODE
        ]
        return self._kept + more


def shown(value: object) -> str:
    """Show an untrusted value on one line, escaped and cut short."""
    if isinstance(value, (str, bytes, list, tuple, dict)) and len(value) > MAX_SHOWN:
        if not isinstance(value, (str, bytes)):
            return f"a {type(value).__name__} of {len(value)}"
        value = value[:MAX_SHOWN]
        return f"{value!r}..."
    text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return text if len(text) <= 2 * MAX_SHOWN else f"{text[: 2 * MAX_SHOWN]}..."
