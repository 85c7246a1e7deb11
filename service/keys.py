"""Who may ask, for what and how much: keys kept as digests, compared in constant time.

Knows nothing of routes; `service.dependencies` asks it. The keys of the settings have no limits,
those of the key file have theirs, and are followed while the server runs.
"""

import asyncio
import hmac
import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import SecretStr

from service import keyfile
from service.errors import KeyFileError, ModelNotAllowed, RateLimited
from service.events import Events
from service.keyfile import KeyRecord, Role, digest_of

FOLLOW_S = 0.5
SECONDS_PER_MIN = 60.0


class Grant:
    """What one key opens, and how much of that it has used.

    Args:
        key_id: Names it in logs.
        adapters: What it is limited to; None: nothing.
        requests_per_min: How many it may begin, a whole minute's of them at once.
        max_concurrent: How many it may have open.
    """

    def __init__(
        self,
        key_id: str,
        *,
        adapters: frozenset[str] | None = None,
        requests_per_min: int | None = None,
        max_concurrent: int | None = None,
    ) -> None:
        self.key_id = key_id
        self.adapters = adapters
        self._requests_per_min = requests_per_min
        self._max_concurrent = max_concurrent
        self._left = float(requests_per_min or 0)
        self._filled_at_s = time.monotonic()
        self._open = 0

    def allows(self, adapter: str) -> bool:
        """Whether it opens an adapter, or the base by its id."""
        return self.adapters is None or adapter in self.adapters

    def require(self, model: str) -> None:
        """Refuse what the key is not for.

        Raises:
            ModelNotAllowed: It is limited to other adapters.
        """
        if not self.allows(model.partition("@")[0]):
            known = ", ".join(sorted(self.adapters or ()))
            raise ModelNotAllowed(
                f"This key does not open {model[:100]!r}; expected one of: {known}. "
                "Use another key, or have one made for this adapter."
            )

    def require_unlimited(self, what: str) -> None:
        """Refuse what tells of all adapters to a key for some.

        Args:
            what: That, in words.

        Raises:
            ModelNotAllowed: The key is limited.
        """
        if self.adapters is not None:
            raise ModelNotAllowed(
                f"{what} tells of all adapters, and this key is limited to: "
                f"{', '.join(sorted(self.adapters))}. Use a key without such a limit."
            )

    def enter(self) -> None:
        """Count one request; `leave` ends it.

        Raises:
            RateLimited: There are too many.
        """
        if self._max_concurrent is not None and self._open >= self._max_concurrent:
            raise RateLimited(
                f"This key has {self._open} requests open, as many as it may. Wait for one to end.",
                retry_after_s=1,
            )
        if self._requests_per_min is not None:
            self._take(self._requests_per_min)
        self._open += 1

    def leave(self) -> None:
        """A request that entered is over."""
        self._open -= 1

    def _take(self, per_min: int) -> None:
        now_s = time.monotonic()
        gained = (now_s - self._filled_at_s) * per_min / SECONDS_PER_MIN
        self._left = min(float(per_min), self._left + gained)
        self._filled_at_s = now_s
        if self._left < 1:
            wait_s = (1 - self._left) * SECONDS_PER_MIN / per_min
            raise RateLimited(
                f"This key has used its {per_min} requests a minute. Try again in {wait_s:.1f} s.",
                retry_after_s=math.ceil(wait_s),
            )
        self._left -= 1


class Keys:
    """The keys of one server; without any it is open (and then listens on loopback only).

    Args:
        fixed: Of the settings, by scope; they hold as long as the server runs.
        path: The file of the others, if there is one.
        events: Where refusals and changes are noted.
    """

    def __init__(
        self, fixed: Mapping[Role, SecretStr | None], path: Path | None, events: Events
    ) -> None:
        self._path = path
        self._events = events
        self._fixed = [
            (digest_of(secret.get_secret_value()), scope, Grant(f"{scope}_key"))
            for scope, secret in fixed.items()
            if secret is not None
        ]
        self._records: dict[str, KeyRecord] = {}
        self._grants: dict[str, Grant] = {}
        self._stamp: tuple[int, ...] | None = None
        self._open = Grant("none") if not self._fixed and path is None else None
        if path is not None:
            self._stamp = keyfile.stamp(path)
            self._replace(keyfile.read(path))

    def find(self, authorization: str | None, roles: frozenset[Role]) -> Grant | None:
        """What an `Authorization` header opens of a route for `roles`; None is nothing."""
        if self._open is not None:
            return self._open
        scheme, _, presented = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        digest = digest_of(presented.strip())
        # Every key is compared, so that the time taken does not tell which one was near.
        found = [
            grant
            for known, scope, grant in self._all()
            if hmac.compare_digest(digest, known) and scope in roles
        ]
        return found[0] if found else None

    def _all(self) -> Iterable[tuple[str, Role, Grant]]:
        yield from self._fixed
        for key_id, record in self._records.items():
            yield record.sha256, record.scope, self._grants[key_id]

    def _replace(self, records: Iterable[KeyRecord]) -> None:
        """Take in what the file holds; a key that is as it was keeps its counts."""
        fresh = {record.id: record for record in records}
        self._grants = {
            key_id: self._grants[key_id] if self._records.get(key_id) == record else _grant(record)
            for key_id, record in fresh.items()
        }
        self._records = fresh

    async def follow(self) -> None:
        """Read the file again whenever it changes, until cancelled."""
        while self._path is not None:
            await asyncio.sleep(FOLLOW_S)
            await self._read_if_changed(self._path)

    async def _read_if_changed(self, path: Path) -> None:
        stamp = await asyncio.to_thread(keyfile.stamp, path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            records = await asyncio.to_thread(keyfile.read, path)
        except KeyFileError as error:
            # The keys that were read last go on.
            self._events.note("keys_unreadable", "key_file", str(error))
            return
        self._replace(records)
        self._events.note("keys_read", "key_file", keys=len(records))


def _grant(record: KeyRecord) -> Grant:
    return Grant(
        record.id,
        adapters=None if record.adapters is None else frozenset(record.adapters),
        requests_per_min=record.requests_per_min,
        max_concurrent=record.max_concurrent,
    )
