"""Keys from the command line: made, listed, revoked; mistakes end with code 2."""

from pathlib import Path

import pytest

from service.cli import main
from service.keyfile import read


def test_a_key_is_made_listed_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORADOCK_KEY_FILE", str(tmp_path / "keys.json"))
    limits = ["--adapter", "alpha", "--adapter", "beta", "--requests-per-min", "30"]
    made = ["keys", "create", "--name", "ann", "--scope", "inference", *limits]
    assert main([*made, "--max-concurrent", "2"]) == 0
    shown = capsys.readouterr().out
    (record,) = read(tmp_path / "keys.json")
    assert f"key, shown this once: ldk-{record.id}-" in shown
    assert main(["keys", "list"]) == 0
    listed = capsys.readouterr().out
    assert f"{record.id}  inference  ann" in listed
    assert "30 requests a minute; 2 at once; only alpha, beta" in listed
    assert main(["keys", "revoke", record.id]) == 0
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out.endswith("no keys\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["list"], "There is no key file"),
        (["list", "--key-file", "nowhere.json"], "cannot be read"),
        (["create", "--key-file", "k", "--name", "a", "--scope", "root"], "--scope='root'"),
        (["create", "--key-file", "k", "--name", "a", "--max-concurrent", "0"], "greater than"),
        (["create", "--key-file", "k", "--name", "a\nb"], "should match pattern"),
    ],
)
def test_a_mistake_is_one_message_and_code_2(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", *arguments]) == 2
    assert problem in capsys.readouterr().err


def test_a_server_does_not_start_with_a_wrong_key_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{}x", encoding="utf-8")
    assert main(["--store", str(tmp_path / "store"), "--key-file", str(path)]) == 2
    assert "is damaged" in capsys.readouterr().err
