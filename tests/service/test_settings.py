"""Settings that would leave a door open, or mean nothing, are refused with a sentence."""

import pytest
from pydantic import ValidationError

from configuration import ConfigurationError, load
from service.settings import Settings

KEYS = {"api_key": "a" * 16, "admin_key": "b" * 16}


def test_without_keys_only_loopback_is_listened_on() -> None:
    for host in ("127.0.0.1", "::1", "localhost", "127.1.2.3"):
        assert Settings.model_validate({"host": host}).host == host
    for host in ("0.0.0.0", "::", "192.168.1.2", "example.org"):  # noqa: S104
        with pytest.raises(ValidationError, match=r"can be reached from other machines.*Set api"):
            Settings.model_validate({"host": host})


def test_with_keys_any_address_is_listened_on() -> None:
    assert Settings.model_validate({"host": "0.0.0.0", **KEYS}).host == "0.0.0.0"  # noqa: S104


@pytest.mark.parametrize("only", ["api_key", "admin_key"])
def test_one_key_alone_is_refused(only: str) -> None:
    with pytest.raises(ValidationError, match="is not set though the other key is"):
        Settings.model_validate({only: "a" * 16})


def test_one_key_for_both_roles_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected two different keys"):
        Settings.model_validate({"api_key": "a" * 16, "admin_key": "a" * 16})


def test_a_short_key_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError, match="at least 16") as refused:
        load(
            Settings,
            ["--api-key", "hunter2", "--admin-key", "b" * 16],
            prog="service",
            file_flag="--config",
        )
    assert "hunter2" not in str(refused.value)


def test_keys_are_not_in_the_representation() -> None:
    assert KEYS["api_key"] not in repr(Settings.model_validate(KEYS))


def test_a_password_in_a_url_is_not_in_the_representation() -> None:
    shown = repr(Settings.model_validate({"traces_endpoint": "http://ann:hunter2@collector:4318"}))
    assert "hunter2" not in shown
    assert "traces_endpoint='http://***@collector:4318'" in shown


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORADOCK_PORT", "9999")
    settings = load(Settings, [], prog="service", file_flag="--config", env_prefix="LORADOCK_")
    assert settings.port == 9999


def test_the_store_is_read_at_least_once_a_second() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        Settings.model_validate({"store_poll_s": 1.5})


def test_more_slots_than_places_would_read_files_inside_a_step() -> None:
    with pytest.raises(ValidationError, match="max_slots=9 is more than max_docked_versions=8"):
        Settings.model_validate({"max_slots": 9, "max_docked_versions": 8})


def test_a_key_file_alone_opens_any_address() -> None:
    fields = {"host": "0.0.0.0", "admin_host": "0.0.0.0"}  # noqa: S104
    assert Settings.model_validate({**fields, "key_file": "keys.json"}).key_file is not None
    with pytest.raises(ValidationError, match=r"admin_host=.* can be reached"):
        Settings.model_validate({"admin_host": "0.0.0.0"})  # noqa: S104


def test_administration_cannot_have_the_port_of_the_rest() -> None:
    with pytest.raises(ValidationError, match="expected two different ports"):
        Settings.model_validate({"port": 8000, "admin_port": 8000})
