"""Keys open what they are for and nothing else."""

import pytest
from pydantic import SecretStr

from service.keys import Role, hash_keys

BOTH: frozenset[Role] = frozenset({"inference", "admin"})
KEYS = hash_keys(SecretStr("inference-secret"), SecretStr("admin-secret"))


def test_without_keys_everything_is_open() -> None:
    assert hash_keys(None, None).allow(None, BOTH)


@pytest.mark.parametrize(
    ("header", "opened"),
    [
        ("Bearer inference-secret", {"inference"}),
        ("bearer admin-secret", {"admin"}),
        ("Bearer  inference-secret ", {"inference"}),
        ("Basic inference-secret", set()),
        ("inference-secret", set()),
        ("Bearer inference-secret-and-more", set()),
        ("Bearer ", set()),
        ("Bearer \udcff", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_a_header_opens_the_role_of_its_key(header: str | None, opened: set[Role]) -> None:
    assert {role for role in BOTH if KEYS.allow(header, frozenset({role}))} == opened


def test_the_key_itself_is_not_kept() -> None:
    assert "secret" not in repr(KEYS)
