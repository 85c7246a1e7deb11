"""What `adapter_config.json` says, read into plain types.

Finds wrong types; whether the values are acceptable is for `adapters.rules`.
"""

from dataclasses import dataclass, field
from typing import TypeGuard, TypeVar

from adapters import jsondoc
from adapters.findings import Findings, shown
from adapters.layout import CONFIG

V = TypeVar("V")


@dataclass(frozen=True)
class PeftConfig:
    """The options of a LoRA that decide how its tensors are used.

    Attributes:
        rank: Of every module that `rank_pattern` does not name.
        alpha: Of every module that `alpha_pattern` does not name.
        targets: Module names or ends of module paths.
        rslora: Whether the scale is alpha / sqrt(rank) rather than alpha / rank.
        rank_pattern: Rank by module name.
        alpha_pattern: Alpha by module name.
        excluded: Modules left out although targeted.
        layers: Layers that alone are trained; `None` is all.
        base: What the adapter says it was made for.
        raw: Every option as it stands.
    """

    rank: int
    alpha: float
    targets: list[str]
    rslora: bool = False
    rank_pattern: dict[str, int] = field(default_factory=dict)
    alpha_pattern: dict[str, float] = field(default_factory=dict)
    excluded: list[str] = field(default_factory=list)
    layers: list[int] | None = None
    base: str | None = None
    raw: dict[str, object] = field(default_factory=dict)

    def rank_of(self, module: str) -> int:
        """The rank of a module, by its full path."""
        return _first_match(self.rank_pattern, module, self.rank)

    def scale_of(self, module: str) -> float:
        """The factor of a module's update B @ A, by its full path."""
        rank, alpha = self.rank_of(module), _first_match(self.alpha_pattern, module, self.alpha)
        return float(alpha / (rank**0.5 if self.rslora else rank))

    def targeted(self, module: str) -> bool:
        """Whether a module, by its full path, gets an update."""
        if any(is_end_of(name, module) for name in self.excluded):
            return False
        if self.layers is not None and layer_of(module) not in self.layers:
            return False
        return any(is_end_of(name, module) for name in self.targets)


def is_end_of(name: str, module: str) -> bool:
    """PEFT's rule: a name means every module whose path is it or ends in it."""
    return module == name or module.endswith(f".{name}")


def layer_of(module: str) -> int | None:
    """The layer number in a module path, if it has one."""
    return next((int(part) for part in module.split(".") if part.isdigit()), None)


def read(raw: bytes, findings: Findings) -> PeftConfig | None:
    """Read the bytes of `adapter_config.json`; `None` if the rest cannot be judged by it."""
    options = _options(raw, findings)
    if options is None:
        return None
    read_option = _Options(options, findings)
    rank = read_option.whole("r")
    alpha = read_option.number("lora_alpha")
    targets = read_option.names("target_modules", "targets_invalid")
    config = PeftConfig(
        rank=rank or 1,
        alpha=alpha or 1.0,
        targets=targets or [],
        rslora=read_option.flag("use_rslora"),
        rank_pattern=read_option.pattern("rank_pattern", int),
        alpha_pattern=read_option.pattern("alpha_pattern", float),
        excluded=read_option.names("exclude_modules", "option_type", required=False) or [],
        layers=read_option.layers(),
        base=read_option.text("base_model_name_or_path"),
        raw=options,
    )
    return None if rank is None or alpha is None or targets is None else config


def _options(raw: bytes, findings: Findings) -> dict[str, object] | None:
    try:
        options = jsondoc.parse(raw)
    except jsondoc.DuplicateKeyError as error:
        findings.add("config_duplicate_key", CONFIG, f"In it, {error}. Keep one of them.")
        return None
    except ValueError as error:
        findings.add(
            "config_not_json",
            CONFIG,
            f"It is not JSON ({shown(str(error))}). Save the adapter again.",
        )
        return None
    if not isinstance(options, dict):
        findings.add(
            "config_not_object",
            CONFIG,
            f"It holds a JSON {type(options).__name__}, expected an object. Save the adapter again.",
        )
        return None
    return options


class _Options:
    """Typed access to untrusted options; a wrong type becomes a finding."""

    def __init__(self, options: dict[str, object], findings: Findings) -> None:
        self._options = options
        self._findings = findings

    def whole(self, key: str) -> int | None:
        value = self._options.get(key)
        if type(value) is int and value > 0:
            return value
        self._wrong("rank_invalid", key, "a positive whole number")
        return None

    def number(self, key: str) -> float | None:
        value = self._options.get(key)
        if _is_amount(value):
            return float(value)
        self._wrong("alpha_invalid", key, "a positive number below 1e9")
        return None

    def names(self, key: str, code: str, *, required: bool = True) -> list[str] | None:
        value = self._options.get(key)
        if value is None and not required:
            return None
        if isinstance(value, list) and (value or not required):
            names = [name for name in value if isinstance(name, str) and name]
            if len(names) == len(value):
                return names
        self._wrong(code, key, "a list of literal module names (patterns are never run)")
        return None

    def flag(self, key: str) -> bool:
        value = self._options.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self._wrong("option_type", key, "true or false")
        return False

    def text(self, key: str) -> str | None:
        value = self._options.get(key)
        if value is None or (isinstance(value, str) and len(value) < 4096 and "\0" not in value):
            return value or None
        self._wrong("option_type", key, "a text of less than 4096 characters")
        return None

    def layers(self) -> list[int] | None:
        value = self._options.get("layers_to_transform")
        if value is None:
            return None
        entries = value if isinstance(value, list) else [value]
        numbers = [entry for entry in entries if isinstance(entry, int)]
        if numbers and len(numbers) == len(entries):
            return numbers
        self._wrong("option_type", "layers_to_transform", "whole numbers")
        return None

    def pattern(self, key: str, kind: type[V]) -> dict[str, V]:
        value = self._options.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._wrong("option_type", key, "an object")
            return {}
        return {
            name: kind(entry)  # type: ignore[call-arg] # int and float take a number
            for name, entry in value.items()
            if self._pattern_entry(key, name, entry, whole=kind is int)
        }

    def _pattern_entry(self, key: str, name: str, entry: object, *, whole: bool) -> bool:
        if not name or not all(character.isalnum() or character in "_." for character in name):
            self._findings.add(
                "pattern_regex",
                CONFIG,
                f"{key} has the key {shown(name)}, expected a literal module name. Write one "
                "entry per module; patterns of an adapter are never run.",
            )
            return False
        if (type(entry) is int and entry > 0) if whole else _is_amount(entry):
            return True
        self._findings.add(
            "pattern_value",
            CONFIG,
            f"{key} gives {shown(name)} the value {shown(entry)}, expected a positive number. "
            "Correct it.",
        )
        return False

    def _wrong(self, code: str, key: str, expected: str) -> None:
        self._findings.add(
            code,
            CONFIG,
            f"{key} is {shown(self._options.get(key))}, expected {expected}. Correct the file or "
            "save the adapter again.",
        )


def _is_amount(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e9


def _first_match(pattern: dict[str, V], module: str, default: V) -> V:
    return next((value for name, value in pattern.items() if is_end_of(name, module)), default)
