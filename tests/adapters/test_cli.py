"""The command line: tables for people, JSON for programs, exit codes, no tracebacks."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters import merging
from adapters.cli import main
from adapters.store import Store
from tests.adapters.making import Adapter

ROOT = Path(__file__).resolve().parents[2]
NOTE = {"who": "tester", "why": "a test"}


class Shell:
    """Runs commands on one store."""

    def __init__(self, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
        self.store, self.capsys = store, capsys

    def __call__(self, *words: str | Path) -> tuple[int, str, str]:
        code = main([*map(str, words), "--store", str(self.store.root)])
        out, err = self.capsys.readouterr()
        return code, out, err

    def json(self, *words: str | Path) -> Any:  # noqa: ANN401 - whatever a command says
        code, out, _ = self(*words, "--json")
        assert code == 0
        return json.loads(out)


@pytest.fixture
def shell(
    store: Store,
    adapter: Adapter,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """Two published versions, stable at the first."""
    monkeypatch.setenv("COLUMNS", "200")
    source = adapter.write(tmp_path / "source")
    for _ in range(2):
        store.publish("tales", source, adapter.draft(), base_dir=adapter.base)
    store.set_alias("tales", "stable", 1, expected=None, **NOTE)
    return Shell(store, capsys)


def test_list_shows_every_version_with_its_aliases(shell: Shell) -> None:
    code, out, _ = shell("list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["version", "tales@1", "tales@2"]
    rows = shell.json("list", "tales")
    assert [(row["version"], row["aliases"]) for row in rows] == [(1, ["stable"]), (2, [])]


def test_show_tells_everything(shell: Shell) -> None:
    shell.store.record_evaluation("tales", 1, {"correct": 0.5})
    data = shell.json("show", "tales")
    assert data["version"] == "tales@1"
    assert data["manifest"]["lora"]["rank"] == 4
    assert data["evaluations"][0]["results"] == {"correct": 0.5}
    assert "content_sha256" in shell("show", "tales@2")[1]


def test_verify_answers_with_the_agreed_json(
    shell: Shell, adapter: Adapter, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    assert shell.json("verify", source, "--base", adapter.base) == {"ok": True, "findings": []}
    assert shell.json("verify", source) == {"ok": True, "findings": []}
    assert shell.json("verify", "tales@2") == {"ok": True, "findings": []}
    adapter.config |= {"use_dora": True, "bias": "all"}
    adapter.write(source)
    code, out, _ = shell("verify", source, "--base", adapter.base, "--json")
    answer = json.loads(out)
    assert code == 1
    assert answer["ok"] is False
    assert [finding["code"] for finding in answer["findings"]] == ["bias", "dora"]
    assert {frozenset(finding) for finding in answer["findings"]} == {
        frozenset({"code", "message", "file"})
    }
    code, out, _ = shell("verify", source, "--base", adapter.base)
    assert code == 1
    assert "[dora] in adapter_config.json" in out


def test_promote_rollback_and_history(shell: Shell) -> None:
    assert shell.json("promote", "tales@2") == {
        "name": "tales",
        "alias": "stable",
        "old": 1,
        "new": 2,
    }
    code, out, _ = shell("promote", "tales@2", "--alias", "candidate", "--who", "ann", "--why", "x")
    assert (code, out) == (0, "tales@candidate is now tales@2 (new)\n")
    assert shell("rollback", "tales")[1] == "tales@stable is now tales@1 (was tales@2)\n"
    changes = shell.json("history", "tales")
    assert [(c["alias"], c["old"], c["new"]) for c in changes] == [
        ("stable", None, 1),
        ("stable", 1, 2),
        ("candidate", None, 2),
        ("stable", 2, 1),
    ]
    assert changes[2]["who"] == "ann"


def test_import_export_and_diff(shell: Shell, tmp_path: Path) -> None:
    assert shell("export", "tales", tmp_path / "out.tar")[0] == 0
    (tmp_path / "source" / "training_args.bin").write_bytes(b"\x80")
    data = shell.json("import", "copy", tmp_path / "source")
    assert (data["version"], data["pickles"]) == ("copy@1", ["training_args.bin"])
    _, out, _ = shell("import", "copy", tmp_path / "source")
    assert "left out: training_args.bin" in out
    found = shell.json("diff", "tales@1", "copy@1")
    assert [layer["layer"] for layer in found["layers"]] == [0, 1]
    assert set(found["facts"]) == {"probes"}
    assert shell("diff", "tales@1", "tales@2")[1].endswith("nothing said about them differs\n")


def test_merge_verifies_first(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "merge", lambda version, base_dir, target: target)
    assert shell.json("merge", "tales@1", tmp_path / "merged")["version"] == "tales@1"
    (shell.store.version("tales", 1).path / "adapter_config.json").write_text("{}")
    code, _, err = shell("merge", "tales@1", tmp_path / "merged")
    assert code == 2
    assert "[file_changed]" in err


def test_gc_and_fsck(shell: Shell) -> None:
    words = ("gc", "--min-age-days", "0", "--dry-run")
    verdicts = shell.json(*words)["adapters"]["tales"]["verdicts"]
    assert [(v["version"], v["remove"]) for v in verdicts] == [
        ("tales@1", False),
        ("tales@2", True),
    ]
    assert "would go" in shell(*words)[1]
    assert shell.json("fsck") == {"ok": True, "problems": []}
    (shell.store.version("tales", 2).path / "x.png").write_bytes(b"x")
    code, out, _ = shell("fsck")
    assert code == 1
    assert "[version_damaged] tales@2" in out
    assert shell.json("fsck", "--repair")["problems"][0]["mended"] == "moved to quarantine"
    assert shell("gc", "tales", "--min-age-days", "0")[0] == 0
    assert shell.store.versions("tales") == [1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "nobody"), "unknown_adapter"),
        (("list", "nobody"), "unknown_adapter"),
        (("history", "nobody"), "unknown_adapter"),
        (("show", "../x"), "invalid_reference"),
        (("promote", "tales@1", "--alias", "7"), "invalid_reference"),
        (("rollback", "tales"), "no_previous_target"),
        (("import", "x", "/no/such/place"), "import_refused"),
        (("export", "tales", "/no/such/place"), "export_refused"),
        (("verify", "tales@1", "--base", "/no/such/base"), "BaseModelError"),
        (("verify", "tales@1", "--base", "~nobody-here/base"), "BaseModelError"),
        (("verify", "x" * 5000), "invalid_reference"),
        (("verify", "/no/such/adapter"), "invalid_reference"),
        (("gc", "nobody"), "unknown_adapter"),
        (("fsck", "nobody"), "unknown_adapter"),
        (("promote", "tales@2", "--who", ""), "invalid_reference"),
        (("promote", "tales@2", "--why", "x" * 1001), "invalid_reference"),
    ],
    ids=str,
)
def test_bad_requests_end_with_two_and_a_sentence(
    words: tuple[str, ...], code: str, shell: Shell
) -> None:
    status, out, err = shell(*words, "--json")
    assert status == 2
    assert json.loads(out)["error"]["code"] == code
    assert err.startswith("adapters: ")
    assert "Traceback" not in err
    assert shell(*words)[:2] == (2, "")


@pytest.mark.parametrize(
    "words",
    [
        ("gc", "--min-age-days", "nan"),
        ("gc", "--min-age-days", "1e300"),
        ("gc", "--min-age-days", "soon"),
        ("gc", "--lease-hours", "-1"),
        ("gc", "--keep-targets", "0"),
        ("gc", "--keep-targets", "1.5"),
        ("gc", "--keep-targets", "\u0663"),
        ("verify", "x", "--max-rank", "0"),
        ("promote", "tales@2", "--who", "a\nb"),
        ("promote", "tales@2", "--why", "\udcff"),
    ],
    ids=ascii,
)
def test_flags_that_mean_nothing_are_refused(words: tuple[str, ...], shell: Shell) -> None:
    with pytest.raises(SystemExit) as stopped:
        shell(*words)
    assert stopped.value.code == 2
    assert f"argument {words[-2]}:" in shell.capsys.readouterr().err


def test_a_number_of_days_may_be_a_fraction_or_nothing(shell: Shell) -> None:
    for days, kept in (("0", [1]), ("0.5", [1, 2]), ("10000", [1, 2])):
        verdicts = shell.json("gc", "--dry-run", "--min-age-days", days)["adapters"]["tales"]
        stay = [v["version"] for v in verdicts["verdicts"] if not v["remove"]]
        assert stay == [f"tales@{number}" for number in kept]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"{", "does not name its base model"),
        (b'{"r": 4}', "does not name its base model"),
    ],
)
def test_a_directory_without_a_base_needs_one(
    content: bytes | None, reason: str, shell: Shell, adapter: Adapter, tmp_path: Path
) -> None:
    path = adapter.write(tmp_path / "unnamed") / "adapter_config.json"
    path.unlink() if content is None else path.write_bytes(content)
    code, _, err = shell("verify", path.parent)
    assert code == 2
    assert f"{path} {reason}. Expected a base model" in err
    assert "Give it with --base." in err


def test_a_broken_configuration_still_names_its_base(
    shell: Shell, adapter: Adapter, tmp_path: Path
) -> None:
    adapter.config["r"] = 0
    code, out, _ = shell("verify", adapter.write(tmp_path / "broken"), "--json")
    assert code == 1
    assert [finding["code"] for finding in json.loads(out)["findings"]] == ["rank_invalid"]


def test_a_directory_that_is_not_there_is_a_finding(shell: Shell, adapter: Adapter) -> None:
    code, out, _ = shell("verify", "no/such/adapter", "--base", adapter.base, "--json")
    assert code == 1
    assert [finding["code"] for finding in json.loads(out)["findings"]] == ["directory_missing"]


def test_a_store_at_home_with_somebody_unknown_is_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "--json", "--store", "~nobody-here/store"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_who_moves_an_alias_may_have_no_name(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    assert shell("promote", "tales@2")[0] == 0
    assert shell.json("history", "tales")[-1]["who"] == f"user {os.getuid()}"


def test_the_default_store_comes_from_the_environment(shell: Shell) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "adapters", "list", "--json"],
        cwd=ROOT,
        env=os.environ | {"LORADOCK_STORE": str(shell.store.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [row["name"] for row in json.loads(result.stdout)] == ["tales", "tales"]


def test_abbreviated_flags_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["list", "--js"])
    assert stopped.value.code == 2
    assert "unrecognized arguments" in capsys.readouterr().err


def test_listing_does_not_wait_for_numpy() -> None:
    """It takes longer to import than a thousand versions to list."""
    code = "import sys, adapters.cli; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
