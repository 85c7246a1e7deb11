"""Findings stay few and printable; the documentation has every code and names proofs that exist."""

import re
from pathlib import Path

import pytest

from adapters import rules, values
from adapters.findings import MAX_PER_CODE, REASONS, Findings, shown

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")


def test_a_flood_of_one_kind_is_counted() -> None:
    findings = Findings()
    for number in range(500):
        findings.add("key_unknown", "f", f"number {number}.")
    findings.add("dora", "f", "once.")
    found = findings.all()
    assert len(findings) == 501
    assert len(found) == MAX_PER_CODE + 2
    assert found[-1].message == f"and {500 - MAX_PER_CODE} more of this kind."


def test_only_known_codes_are_used() -> None:
    with pytest.raises(AssertionError, match="no_such_code"):
        Findings().add("no_such_code", None, "x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "'plain'"),
        ("a\nb\x1b[31m", r"'a\nb\x1b[31m'"),
        ("x" * 100, "'" + "x" * 80 + "'..."),
        ([1] * 100, "a list of 100"),
        (1 << 1000, str(1 << 1000)[:160] + "..."),
        (None, "None"),
    ],
)
def test_untrusted_values_are_shown_short_and_escaped(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_the_documentation_lists_every_code_with_its_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", DOCUMENT, re.MULTILINE)
    assert dict(rows) == REASONS


def test_the_documentation_names_proofs_that_exist() -> None:
    proofs = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", DOCUMENT)
    assert len(proofs) >= 14
    for file, function in proofs:
        text = (Path(__file__).parent / file).read_text(encoding="utf-8")
        assert not function or f"def {function}(" in text, f"{file} has no {function}"


def test_the_documentation_states_the_limits_in_force() -> None:
    limits = " ".join(DOCUMENT.split("Limits: ", 1)[1].split())
    assert f"alpha over rank up to {rules.MAX_SCALE:g} and from {rules.MIN_SCALE:g}," in limits
    assert f"weights up to {values.MAX_ABSOLUTE:g} in absolute value" in limits
    assert "a norm from 1e-9 up to a norm of 1e5" in limits
    assert (values.MIN_UPDATE_NORM, values.MAX_UPDATE_NORM) == (1e-9, 1e5)
