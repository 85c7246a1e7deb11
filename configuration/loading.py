"""Read a pydantic model from flags, environment, YAML file and defaults, in that order.

pydantic validates; argparse and PyYAML read. What this module adds is one text that names
every problem at once, with the place it came from and the nearest known name.
"""

import argparse
import difflib
import os
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined

from configuration.errors import ConfigurationError

M = TypeVar("M", bound=BaseModel)
Values = dict[str, object]


def load(
    model: type[M],
    argv: Sequence[str],
    *,
    prog: str,
    file_flag: str,
    env_prefix: str | None = None,
    refused: Mapping[str, str] = types.MappingProxyType({}),
) -> M:
    """Read `model` from the command line and what lies behind it.

    Args:
        model: The settings; every field has a description, unknown keys are forbidden.
        argv: The command line without the program's name.
        prog: How the program is called, for `--help`.
        file_flag: The flag that names the YAML file, `--recipe` for example.
        env_prefix: Prefix of the environment variables; `None` reads none.
        refused: Names that people may expect and that are not offered, with the reason.

    Raises:
        ConfigurationError: Some setting is unknown, missing or out of bounds.
        SystemExit: `--help` was asked for.
    """
    parser = _parser(model, prog, file_flag, env_prefix)
    parsed, unknown = parser.parse_known_args(list(argv))
    flags = {key: value for key, value in vars(parsed).items() if value is not None}
    path = flags.pop("configuration_file", None)
    known_flags = [_flag(name) for name in model.model_fields] + [file_flag]
    problems = [_unknown_flag(argument, known_flags, refused) for argument in unknown]
    in_file: Values = {}
    if path is not None:
        in_file = _read_yaml(Path(path))
        problems += [
            f"{path}: unknown key {key!r}.{_nearest(str(key), model.model_fields, refused)}"
            for key in in_file
            if key not in model.model_fields
        ]
    in_environment, environment_problems = _environment(model, env_prefix)
    problems += environment_problems
    origin = {name: str(path) for name in in_file}
    origin |= {name: f"${env_prefix}{name.upper()}" for name in in_environment}
    origin |= {name: _flag(name) for name in flags}
    values = {name: value for name, value in in_file.items() if name in model.model_fields}
    try:
        settings = model.model_validate(values | in_environment | flags)
    except ValidationError as error:
        problems += [_invalid(details, origin, model) for details in error.errors()]
    if problems:
        raise ConfigurationError(_report(prog, problems))
    return settings


def _parser(
    model: type[BaseModel], prog: str, file_flag: str, env_prefix: str | None
) -> argparse.ArgumentParser:
    order = "flags > environment > file > defaults" if env_prefix else "flags > file > defaults"
    parser = argparse.ArgumentParser(
        prog=prog,
        description=f"{(model.__doc__ or '').strip()}\n\nPrecedence: {order}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        argument_default=None,
    )
    parser.add_argument(
        file_flag, dest="configuration_file", metavar="FILE", help="a YAML file with the same names"
    )
    for name, field in model.model_fields.items():
        # argparse reads % as the start of a format.
        text = _help(name, field, env_prefix).replace("%", "%%")
        if field.annotation is bool:
            parser.add_argument(
                _flag(name), dest=name, action=argparse.BooleanOptionalAction, help=text
            )
        else:
            parse = _parse_nested if _is_nested(field.annotation) else str
            choices = _choices(field.annotation)
            metavar = f"{{{','.join(choices)}}}" if choices else name.rsplit("_", 1)[-1].upper()
            parser.add_argument(_flag(name), dest=name, metavar=metavar, type=parse, help=text)
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _help(name: str, field: FieldInfo, env_prefix: str | None) -> str:
    text = field.description or ""
    if field.is_required():
        text += " [required]"
    elif field.default is not PydanticUndefined and field.default is not None:
        text += f" [default: {field.default}]"
    if env_prefix:
        text += f" (${env_prefix}{name.upper()})"
    return text


def _choices(annotation: object) -> list[str]:
    """The texts that a value may be, where there are only so many."""
    given = [option for option in typing.get_args(annotation) if option is not types.NoneType]
    if typing.get_origin(annotation) is typing.Literal:
        return [str(choice) for choice in given]
    is_optional = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return _choices(given[0]) if is_optional and len(given) == 1 else []


def _is_nested(annotation: object) -> bool:
    """Whether a value is written as YAML (`[a, b]`, `{a: b}`) rather than as plain text."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_is_nested(option) for option in typing.get_args(annotation))
    kind = typing.get_origin(annotation) or annotation
    return isinstance(kind, type) and issubclass(kind, (list, dict, tuple, BaseModel))


def _parse_nested(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise argparse.ArgumentTypeError(
            f"cannot read {text!r}; expected YAML such as [a, b] or {{a: b}}"
        ) from error


def _read_yaml(path: Path) -> Values:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"Cannot read the settings file {path}: {error.strerror}. "
            "Expected a YAML file; check the path."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not YAML in UTF-8: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"{path} holds a {type(content).__name__}, expected `name: value` lines. "
            "See --help for the names."
        )
    return content


def _environment(model: type[BaseModel], prefix: str | None) -> tuple[Values, list[str]]:
    """Read the variables that belong to us; a misspelt one is a problem, not ignored."""
    if prefix is None:
        return {}, []
    values: Values = {}
    problems: list[str] = []
    for variable, text in os.environ.items():
        name = variable.removeprefix(prefix).lower()
        elsewhere = any(
            variable.startswith(other) and not prefix.startswith(other) for other in OTHER_PREFIXES
        )
        if not variable.startswith(prefix) or variable in SHARED_VARIABLES or elsewhere:
            continue
        if name in model.model_fields:
            nested = _is_nested(model.model_fields[name].annotation)
            values[name] = yaml.safe_load(text) if nested else text
        else:
            known = [prefix + field.upper() for field in model.model_fields]
            problems.append(f"unknown variable ${variable}.{_nearest(variable, known)}")
    return values, problems


# Read by set-up, the store, the base models' cache, and tests and benchmarks on their own, whoever
# else is configured.
SHARED_VARIABLES = frozenset(
    {"LORADOCK_CACHE", "LORADOCK_DEVICE", "LORADOCK_SHARED_DATA", "LORADOCK_STORE"}
)
# Settings of another command whose prefix begins like ours.
OTHER_PREFIXES = ("LORADOCK_EVALUATE_",)


def _nearest(
    name: str, known: Iterable[str], refused: Mapping[str, str] = types.MappingProxyType({})
) -> str:
    if reason := refused.get(name.removeprefix("--").replace("-", "_")):
        return f" {reason[0].upper()}{reason[1:]}."
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else " See --help for the names."


def _unknown_flag(argument: str, known: Sequence[str], refused: Mapping[str, str]) -> str:
    return f"unknown argument {argument!r}.{_nearest(argument.split('=')[0], known, refused)}"


def _invalid(details: ErrorDetails, origin: Mapping[str, str], model: type[BaseModel]) -> str:
    location = ".".join(str(part) for part in details["loc"])
    field = str(details["loc"][0]) if details["loc"] else ""
    if details["type"] == "missing":
        return f"{location} is required ({_flag(field)}, or {field}: in the file)."
    declared = model.model_fields.get(field)
    secret = declared is not None and _mentions(declared.annotation, SecretStr)
    got = "a hidden value" if secret else repr(details["input"])
    place = f" (from {origin[field]})" if field in origin else ""
    subject = f"{location}={got}{place}" if location else "settings"
    return f"{subject}: {details['msg']}."


def _mentions(annotation: object, kind: type) -> bool:
    return annotation is kind or any(_mentions(part, kind) for part in typing.get_args(annotation))


def _report(prog: str, problems: list[str]) -> str:
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return f"{count} in the settings; `{prog} --help` explains every name.\n{lines}"
