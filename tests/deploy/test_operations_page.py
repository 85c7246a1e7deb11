"""What docs/operations.md and docs/runbook.md tell people to type exists: files, scripts, commands, flags."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from service.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = {
    name: (ROOT / "docs" / name).read_text("utf-8") for name in ("operations.md", "runbook.md")
}
SCRIPTS = "|".join(path.name for path in (ROOT / "scripts").iterdir())
# Modules, with the command of theirs where there is one.
COMMAND = re.compile(r"-m ((?:basemodels|adapters|service|training|tests)[a-z.]*)((?: [a-z]+)*)")


def typed() -> list[str]:
    """Every command of a block or between backticks, each on one line."""
    found = []
    for text in PAGES.values():
        blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
        found += [re.sub(r"\s#.*", "", line) for line in lines]
        found += re.findall(r"`([^`\n]*-m [^`\n]+)`", text)
    return found


def known(path: str) -> bool:
    return any(ROOT.glob(path)) or (ROOT / path).exists()


def test_every_file_and_script_that_is_named_is_there() -> None:
    lines = typed()
    assert len(lines) > 40
    named = {
        path for line in lines for path in re.findall(r"\bdeploy/[\w./-]+|\bscripts/\w+", line)
    }
    assert {"scripts/setup", "deploy/containers/compose.host.yaml"} <= named
    assert [path for path in sorted(named) if not known(path)] == []


def commands() -> dict[str, set[str]]:
    """Each command to the flags that are given to it."""
    found: dict[str, set[str]] = {}
    for line in typed():
        for part in re.split(r"[;&|]| python ", f" {line}"):
            if match := COMMAND.search(part):
                module, words = match[1], match[2].split()
                flags = set(re.findall(r"\s(--[a-z][a-z-]+)", part[match.end() :]))
                found.setdefault(" ".join([module, *words[:2]]), set()).update(flags)
    return found


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_and_flag_is_known(command: str) -> None:
    module, *words = command.split()
    if module.startswith("tests."):
        assert known(module.replace(".", "/") + "*")
        return
    # A word may be a command or a value of the command before it.
    for kept in range(len(words), -1, -1):
        asked = [sys.executable, "-m", module, *words[:kept], "--help"]
        help_text = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
        if help_text.returncode == 0:
            break
    assert help_text.returncode == 0, help_text.stderr
    flags = help_text.stdout
    if command == "service doctor":
        flags += " ".join("--" + name.replace("_", "-") for name in Settings.model_fields)
    assert [flag for flag in commands()[command] if flag not in flags] == []


def test_the_unit_beside_the_old_one_is_the_same_elsewhere() -> None:
    (script,) = re.findall(r"sed '(.*)' /etc/systemd", PAGES["operations.md"])
    unit = ROOT / "deploy" / "systemd" / "loradock.service"
    asked = ["sed", script, str(unit)]
    made = subprocess.run(asked, capture_output=True, text=True, check=True)
    lines = dict(zip(unit.read_text("utf-8").splitlines(), made.stdout.splitlines(), strict=True))
    changed = {old.partition("=")[0]: new for old, new in lines.items() if old != new}
    command = changed.pop("ExecStart")
    assert command.startswith("ExecStart=/opt/loradock-new/.venv/bin/python -m service --config ")
    assert command.endswith(" --port 8001")
    assert changed.keys() == {"Documentation", "WorkingDirectory"}
    assert changed["WorkingDirectory"] == "WorkingDirectory=/opt/loradock-new"


def test_every_paragraph_that_is_linked_is_there() -> None:
    headings = re.findall(r"^#+ (.+)$", "\n".join(PAGES.values()), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in headings}
    alerts = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text(encoding="utf-8"))
    urls = [
        rule["annotations"]["runbook_url"] for group in alerts["groups"] for rule in group["rules"]
    ]
    links = re.findall(r"\]\((?:runbook|operations)?(?:\.md)?#([\w-]+)\)", "".join(PAGES.values()))
    assert len(links) >= 8
    assert {*links, *(url.partition("#")[2] for url in urls)} <= anchors
