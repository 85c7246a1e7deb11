"""README.zh-CN.md keeps step with README.md: the same sections, commands, links and figures."""

import re
from collections import Counter
from collections.abc import Callable

import pytest

from tests.repository.annotated_tree import ROOT

Part = Callable[[str], list[str]]

ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What is written by a program stands in the English file alone; the other one links there.
GENERATED = re.compile(r"^<!-- (\w+) -->\n.*?^<!-- /\1 -->$", re.MULTILINE | re.DOTALL)
TREE = re.compile(r"^adapters/ .*\n(?:.*\n)*?openapi\.yaml .*\n(?:.*\n)*?(?=```)", re.MULTILINE)


def by_hand(text: str) -> str:
    """A README without its tree and without generated blocks."""
    return GENERATED.sub("", TREE.sub("", text))


def headings(text: str) -> list[str]:
    """The levels of the headings in order; their words differ."""
    return re.findall(r"^#+(?= )", FENCE.sub("", text), re.MULTILINE)


def commands(text: str) -> list[str]:
    """Every block of code, without comments, which are in the reader's language."""
    return [f"{kind}\n{re.sub(r' +# .*', '', code)}" for kind, code in FENCE.findall(by_hand(text))]


def links(text: str) -> list[str]:
    """Where links lead, in order; the two files may lead to each other."""
    targets = re.findall(r"\]\(([^)\s]+)\)", by_hand(text))
    return [target for target in targets if not target.startswith("README.")]


def tables(text: str) -> list[str]:
    """The figures of every row of a table, in the order of their size."""
    rows = re.findall(r"^\|.*\|$", by_hand(text), re.MULTILINE)
    return [" ".join(sorted(figures(re.sub(r"\([^)]*\)", "", row)))) for row in rows]


def figures(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)


def prose(text: str) -> str:
    return FENCE.sub("", re.sub(r"^\|.*\|$", "", by_hand(text), flags=re.MULTILINE))


@pytest.mark.parametrize("part", [headings, commands, links, tables])
def test_both_have_the_same(part: Part) -> None:
    assert part(ENGLISH) == part(CHINESE)


def test_every_figure_is_in_both() -> None:
    missing = Counter(figures(prose(ENGLISH))) - Counter(figures(prose(CHINESE)))
    assert not missing


def test_each_leads_to_the_other() -> None:
    assert "](README.zh-CN.md)" in ENGLISH
    assert "](README.md)" in CHINESE


def test_every_sentence_is_translated() -> None:
    """Outside code, names and links, no line of the Chinese file is without Chinese."""
    text = re.sub(r"\[[^]]*\]\([^)]*\)|`[^`]*`|\*\*|[|:\-\s]", " ", FENCE.sub("", CHINESE))
    untranslated = re.findall(r"(?:[A-Za-z]+[ ,]+){5,}", text)
    assert not untranslated


def test_every_folder_of_the_short_tree_exists() -> None:
    block = next(code for _, code in FENCE.findall(CHINESE) if code.startswith("adapters/"))
    named = [line.split()[0] for line in block.splitlines()]
    assert len(named) > 10
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize(
    ("part", "wrong", "right"),
    [
        (headings, "\n## ", "\n### "),
        (commands, "--dry-run\n", "\n"),
        (links, "docs/service.md)", "docs/training.md)"),
        (tables, "96.7", "96.8"),
    ],
)
def test_a_file_that_fell_behind_is_noticed(part: Part, wrong: str, right: str) -> None:
    assert wrong in CHINESE
    assert part(CHINESE.replace(wrong, right, 1)) != part(CHINESE)


def test_what_is_generated_is_left_out() -> None:
    text = "a\n<!-- models -->\n| 1 |\n<!-- /models -->\nb\n"
    assert by_hand(text) == "a\n\nb\n"
    assert len(by_hand(ENGLISH)) < len(ENGLISH) / 2
