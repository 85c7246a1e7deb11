"""How adapters and aliases may be called, and what a reference such as `name@3` means."""

import re
from typing import NamedTuple

from adapters.errors import InvalidReference
from adapters.findings import shown

PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
DEFAULT_ALIAS = "stable"


class Reference(NamedTuple):
    """A name with either a version number or an alias."""

    name: str
    number: int | None
    alias: str | None


def require_name(name: str) -> str:
    """Return the name of an adapter if it is well-formed.

    Raises:
        InvalidReference: It is not.
    """
    if not PATTERN.fullmatch(name):
        raise InvalidReference(
            f"An adapter cannot be called {shown(name)}. Expected 1-64 of a-z, 0-9, '.', '_' and "
            "'-', beginning with a letter or digit. Choose such a name."
        )
    return name


def require_alias(alias: str) -> str:
    """Return an alias if it is well-formed and cannot be taken for a version number.

    Raises:
        InvalidReference: It is not.
    """
    if not PATTERN.fullmatch(alias) or alias.isdigit():
        raise InvalidReference(
            f"An alias cannot be called {shown(alias)}. Expected 1-64 of a-z, 0-9, '.', '_' and "
            "'-', not a number. Choose such a name, for example stable or candidate."
        )
    return alias


def parse(ref: str) -> Reference:
    """Read `name`, `name@3` or `name@alias`; a bare name means its `stable` alias.

    Raises:
        InvalidReference: The reference has another form.
    """
    name, at, rest = ref.partition("@")
    require_name(name)
    if not at:
        return Reference(name, None, DEFAULT_ALIAS)
    if re.fullmatch(r"[1-9][0-9]{0,8}", rest):
        return Reference(name, int(rest), None)
    return Reference(name, None, require_alias(rest))
