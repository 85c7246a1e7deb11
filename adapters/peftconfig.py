"""What `adapter_config.json` says, read into plain types.

Finds wrong types; whether the values are acceptable is for `adapters.rules`.
"""

import re
from dataclasses import dataclass, field
from typing import TypeGuard, TypeVar

from adapters import jsondoc
from adapters.findings import Findings, shown
from adapters.layout import CONFIG

V = TypeVar("V")

MAX_RANK = 1 << 20
MAX_PATTERN_ENTRIES = 4096
LITERAL = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")
ALL_LINEAR = "all-linear"
# Whoever trains on from an adapter lets PEFT run its pattern; such ones may never end.
REPEATED_GROUP = re.compile(r"\)\s*[*+{]")
MAX_PATTERN_CHARS = 1024


@dataclass(frozen=True)
class PeftConfig:
    """The options of a LoRA that decide how its tensors are used.

    Attributes:
        rank: Of every module that `rank_pattern` does not name.
        alpha: Of every module that `alpha_pattern` does not name.
        targets: Module names or ends of module paths, or the one text that stands for them.
        by_name: Whether `targets` are names; if not, every linear layer may have an update.
        complete: Whether the configuration alone says which modules have updates. Patterns are
            never run, so with one in it only the tensors say that.
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
    targets: frozenset[str]
    by_name: bool = True
    complete: bool = True
    rslora: bool = False
    rank_pattern: dict[str, int] = field(default_factory=dict)
    alpha_pattern: dict[str, float] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    layers: frozenset[int] | None = None
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
        ends = ends_of(module)
        if not ends.isdisjoint(self.excluded):
            return False
        if self.layers is not None and layer_of(module) not in self.layers:
            return False
        return not self.by_name or not ends.isdisjoint(self.targets)


def ends_of(module: str) -> set[str]:
    """The names that mean a module; PEFT's rule: its path, or the end of it after a dot."""
    parts = module.split(".")
    return {".".join(parts[start:]) for start in range(len(parts))}


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
    targets = read_option.targets()
    excluded = read_option.excluded()
    config = PeftConfig(
        rank=rank or 1,
        alpha=alpha or 1.0,
        targets=frozenset([targets] if isinstance(targets, str) else targets or []),
        by_name=not isinstance(targets, str),
        complete=not (_is_pattern(targets) or _is_pattern(excluded)),
        rslora=read_option.flag("use_rslora"),
        rank_pattern=read_option.pattern("rank_pattern", int),
        alpha_pattern=read_option.pattern("alpha_pattern", float),
        excluded=frozenset(excluded if isinstance(excluded, list) else []),
        layers=read_option.layers(),
        base=read_option.text("base_model_name_or_path"),
        raw=options,
    )
    return None if rank is None or alpha is None or targets is None else config


def named_base(raw: bytes) -> str | None:
    """What a configuration says it was made for, whatever else is wrong with it."""
    options = _options(raw, Findings())
    if options is None:
        return None
    return _Options(options, Findings()).text("base_model_name_or_path")


def _is_pattern(names: list[str] | str | None) -> bool:
    return isinstance(names, str) and names.casefold() != ALL_LINEAR


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
        if _is_rank(value):
            return value
        self._wrong("rank_invalid", key, f"a positive whole number up to {MAX_RANK}")
        return None

    def number(self, key: str) -> float | None:
        value = self._options.get(key)
        if _is_amount(value):
            return float(value)
        self._wrong("alpha_invalid", key, "a positive number below 1e9")
        return None

    def targets(self) -> list[str] | str | None:
        value = self._options.get("target_modules")
        if value and _are_names(value) and not (isinstance(value, str) and _may_hang(value)):
            return value
        expected = "a list of module names, all-linear or a pattern without repeated groups"
        self._wrong("targets_invalid", "target_modules", expected)
        return None

    def excluded(self) -> list[str] | str | None:
        value = self._options.get("exclude_modules")
        if value is None or _are_names(value):
            return value or None
        self._wrong("option_type", "exclude_modules", "a list of module names, or one text")
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

    def layers(self) -> frozenset[int] | None:
        value = self._options.get("layers_to_transform")
        if value is None:
            return None
        entries = value if isinstance(value, list) else [value]
        numbers = [entry for entry in entries if type(entry) is int]
        if numbers and len(numbers) == len(entries):
            return frozenset(numbers)
        self._wrong("option_type", "layers_to_transform", "whole numbers")
        return None

    def pattern(self, key: str, kind: type[V]) -> dict[str, V]:
        value = self._options.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or len(value) > MAX_PATTERN_ENTRIES:
            self._wrong("option_type", key, f"an object of at most {MAX_PATTERN_ENTRIES} entries")
            return {}
        return {
            name: kind(entry)  # type: ignore[call-arg] # int and float take a number
            for name, entry in value.items()
            if self._pattern_entry(key, name, entry, whole=kind is int)
        }

    def _pattern_entry(self, key: str, name: str, entry: object, *, whole: bool) -> bool:
        if not LITERAL.fullmatch(name):
            self._findings.add(
                "pattern_regex",
                CONFIG,
                f"{key} has the key {shown(name)}, expected a literal module name. Write one "
                "entry per module; patterns of an adapter are never run.",
            )
            return False
        if _is_rank(entry) if whole else _is_amount(entry):
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


def _may_hang(pattern: str) -> bool:
    return len(pattern) > MAX_PATTERN_CHARS or REPEATED_GROUP.search(pattern) is not None


def _are_names(value: object) -> TypeGuard[list[str] | str]:
    names = value if isinstance(value, list) else [value]
    return all(isinstance(name, str) and name for name in names)


def _is_rank(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= MAX_RANK


def _is_amount(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e9


def _first_match(pattern: dict[str, V], module: str, default: V) -> V:
    names = [name for name in ends_of(module) if name in pattern]
    if len(names) > 1:
        names.sort(key=list(pattern).index)
    return pattern[names[0]] if names else default
