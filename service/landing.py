"""Brings one version into the engine: check, load, probe. Knows of no other version and no request."""

from collections.abc import Awaitable, Callable

from adapters.store import Version
from service.berths import Berth, Key
from service.engine.protocol import DockedAdapter, Engine
from service.errors import DockRefused


class Landing:
    """See the module.

    Args:
        engine: Where versions are docked.
        admit: Holds a version whose files are fit and returns what lets go of them; refuses any
            other (raises `DockRefused`).
        probe: Refuses a docked version that does not answer as it should (raises `DockRefused`).
    """

    def __init__(
        self,
        engine: Engine,
        admit: Callable[[Version], Awaitable[Callable[[], None]]],
        probe: Callable[[Version, DockedAdapter], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._admit = admit
        self._probe = probe
        self._probed: set[Key] = set()

    async def bring(self, berth: Berth, version: Version) -> None:
        """Let a version answer, or leave the engine as it was.

        Raises:
            DockRefused: The version is not fit, or does not answer as it should.
            DockFailed: The engine cannot load it.
            EngineError: The engine is gone.
        """
        berth.let_go = await self._admit(version)
        await self._engine.dock(berth.adapter)
        if berth.key in self._probed:
            return
        try:
            await self._probe(version, berth.adapter)
        except DockRefused:
            await self._engine.undock(berth.adapter)
            raise
        self._probed.add(berth.key)
