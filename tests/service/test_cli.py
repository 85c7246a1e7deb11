"""The command line refuses what it can before the engine starts, in one message."""

import json
import shutil
import socket
from pathlib import Path
from typing import cast

import pytest

from adapters.bases import describe
from adapters.store import Store, Version
from service.cli import base_id, main
from service.preflight import unfit
from tests.service.fake_server import make_engine
from tests.service.memory_store import MemoryStore, make_version
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


def test_adapters_of_another_base_are_refused_before_the_engine_starts(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "other" / "base"
    elsewhere.parent.mkdir()
    shutil.copytree(flags[1], elsewhere)
    config = json.loads((elsewhere / "config.json").read_text(encoding="utf-8"))
    text = json.dumps({**config, "rms_norm_eps": 1e-5})
    (elsewhere / "config.json").write_text(text, encoding="utf-8")
    assert main([*flags, "--base", str(elsewhere)], make_engine) == 2
    told = capsys.readouterr().err
    assert "alpha@1 cannot be served: it was made for another base, 'tiny-base'" in told
    assert "waiting for the engine" not in told


def test_a_rank_that_no_adapter_keeps_to_is_refused_and_one_of_many_is_told(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*flags, "--max-lora-rank", "1"], make_engine) == 2
    assert "alpha@1 cannot be served: its rank is 2, and max_lora_rank is 1" in (
        capsys.readouterr().err
    )
    base = describe("tiny-base", Path(flags[1]))
    store = MemoryStore(tmp_path)
    for name, rank in (("small", 1), ("large", 9)):
        version = make_version(name, 1, tmp_path)
        lora = version.manifest.lora.model_copy(update={"rank": rank})
        manifest = version.manifest.model_copy(update={"base": base, "lora": lora})
        store.put(Version(name, 1, tmp_path, manifest))
        store.move(name, 1)
    given = cast(Store, store), Path(flags[1])
    assert unfit(*given, max_lora_rank=8) == [
        "large@1 cannot be served: its rank is 9, and max_lora_rank is 8"
    ]
    assert unfit(*given, max_lora_rank=None) == []


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
