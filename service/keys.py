"""Who may ask: keys kept as digests, compared in constant time.

Knows nothing of routes; `service.dependencies` asks it.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

Role = Literal["inference", "admin"]


@dataclass(frozen=True)
class Keys:
    """One digest per role; none at all means that the server is open (on loopback only)."""

    digests: Mapping[Role, bytes]

    def allow(self, authorization: str | None, roles: frozenset[Role]) -> bool:
        """Whether an `Authorization` header opens a route for one of `roles`."""
        if not self.digests:
            return True
        scheme, _, presented = (authorization or "").partition(" ")
        digest = _digest(presented.strip())
        # Every key is compared, so that the time taken does not tell which one was near.
        matches = [
            hmac.compare_digest(digest, known) and role in roles
            for role, known in self.digests.items()
        ]
        return scheme.lower() == "bearer" and any(matches)


def hash_keys(api_key: SecretStr | None, admin_key: SecretStr | None) -> Keys:
    """Keep digests of the keys that are set."""
    secrets: dict[Role, SecretStr | None] = {"inference": api_key, "admin": admin_key}
    return Keys(
        {
            role: _digest(secret.get_secret_value())
            for role, secret in secrets.items()
            if secret is not None
        }
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", errors="surrogateescape")).digest()
