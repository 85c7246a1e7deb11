"""The command line refuses what it can before the engine starts, in one message."""

import socket
from pathlib import Path

import pytest

from service.cli import base_id, main
from tests.service.fake_server import make_engine
from tests.service.tiny_store import make_store


@pytest.fixture
def flags(tmp_path: Path) -> list[str]:
    store, base = make_store(tmp_path)
    return ["--base", str(base), "--store", str(store.root), "--port", "0"]


def test_a_port_in_use_is_named_and_nothing_starts(
    flags: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main([*flags, "--port", port], make_engine) == 2
    told = capsys.readouterr().err
    assert f"Port {port} on 127.0.0.1 is taken" in told
    assert "waiting for the engine" not in told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--base", "no-such-base"), "There is no base model 'no-such-base'"),
        (("--host", "0.0.0.0"), "can be reached from other machines"),  # noqa: S104
        (("--host", "192.0.2.1", "--api-key", "a" * 16, "--admin-key", "b" * 16), "Cannot listen"),
        (("--prot", "1"), "Did you mean --port"),
        (("--store", "pyproject.toml"), "is not a directory"),
        (("--port", "70000"), "less than or equal to 65535"),
    ],
)
def test_what_is_wrong_is_said_in_one_message_with_exit_code_2(
    flags: list[str], capsys: pytest.CaptureFixture[str], wrong: tuple[str, ...], told: str
) -> None:
    assert main([*flags, *wrong], make_engine) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("smollm2-135m-instruct", "smollm2-135m-instruct"),
        ("owner/name", "owner/name"),
        ("owner/name@revision", "owner/name"),
    ],
)
def test_clients_call_the_base_by_the_name_it_was_asked_for(base: str, expected: str) -> None:
    assert base_id(base, Path("elsewhere")) == expected


def test_clients_do_not_see_where_a_base_lies(tmp_path: Path) -> None:
    assert base_id(str(tmp_path), tmp_path) == tmp_path.name
