"""The page that walks a stranger through is true: its lineage loads, its commands exist."""

import re
import shlex
from pathlib import Path

import pytest

from training.lineage.cli import main
from training.lineage.loading import load

PAGE = Path(__file__).parents[3] / "docs" / "tasks" / "evolution.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = re.findall(r"-m training\.lineage (\w+)", TEXT)


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found[1]


def test_the_lineage_on_the_page_goes_all_the_way_to_rows(tmp_path: Path) -> None:
    file = tmp_path / "tea.yaml"
    file.write_text(block("yaml"), encoding="utf-8")
    assert main(["check", str(file)]) == 0
    assert main(["render", str(file), "--out", str(tmp_path / "tea.svg")]) == 0
    assert main(["rows", str(file), "--out", str(tmp_path / "rows")]) == 0
    assert "Electric kettle" in (tmp_path / "rows" / "train.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_every_command_on_the_page_exists(command: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0


def test_the_page_names_all_commands() -> None:
    known = {"check", "render", "measure", "rows", "evaluate", "sheet", "agreement"}
    assert set(COMMANDS) == known


def test_the_counts_on_the_page_are_those_of_the_files() -> None:
    lineages = load()
    nodes = [node for lineage in lineages for node in lineage.nodes]
    named = sum(node.source.id is not None for node in nodes)
    assert f"{len(lineages)} lineages with {len(nodes)} algorithms" in TEXT
    assert re.search(rf"\b{named} name an arXiv id", " ".join(TEXT.split()))


def test_the_long_commands_can_be_read_by_a_shell() -> None:
    for line in re.findall(r"^\.venv/bin/python .*$", TEXT, re.MULTILINE):
        assert shlex.split(line.partition("  #")[0].rstrip("\\"))
