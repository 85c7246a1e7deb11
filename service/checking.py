"""Is a version fit for this base and this engine? Asked each time before it is docked.

The rules are the gate's, the same as before training and at publication; what was fit then may
have been damaged since. Reading the files also warms the page cache outside the engine's loop.
A version that passes is held, so that nobody collects its files while it is docked.
"""

import asyncio
import functools
from collections.abc import Callable
from pathlib import Path

import structlog

from adapters.errors import AdapterError, StoreWriteFailed
from adapters.gate import check
from adapters.store import Store, Version
from basemodels import BaseModelError
from service.errors import DockRefused

log = structlog.get_logger(__name__)

MAX_FINDINGS_TOLD = 3
HOLDER = "loradock service"

LetGo = Callable[[], None]


class Checker:
    """Checks versions against one base, and holds those that are fit."""

    def __init__(self, store: Store, base_dir: Path, max_lora_rank: int) -> None:
        self._store = store
        self._base_dir = base_dir
        self._max_lora_rank = max_lora_rank

    async def admit(self, version: Version) -> LetGo:
        """Hold a version if it is fit, and return what lets go of it again.

        Raises:
            DockRefused: The gate found something, or the files cannot be read.
        """
        try:
            return await asyncio.to_thread(self._admit, version)
        except (AdapterError, BaseModelError, OSError) as error:
            raise DockRefused(f"its files cannot be used: {error}") from error

    def _admit(self, version: Version) -> LetGo:
        let_go = self._hold(version)
        findings = check(version.path, self._base_dir, max_rank=self._max_lora_rank)
        if findings:
            let_go()
            told = "; ".join(map(str, findings[:MAX_FINDINGS_TOLD]))
            raise DockRefused(f"the gate found {len(findings)} problem(s): {told}")
        return let_go

    def _hold(self, version: Version) -> LetGo:
        try:
            return self._store.hold(version.name, version.number, who=HOLDER).release
        except StoreWriteFailed as error:
            # A store mounted read-only can be served from; collecting it is then up to others.
            log.warning("version not held", version=str(version), reason=str(error))
            return functools.partial(log.debug, "nothing to let go of", version=str(version))
