"""What the store's traffic file means here: canaries that take a share, versions that stay docked.

Knows what is kept and who gets what; `service.changes` changes the file, the reconciler reads it.
"""

from collections.abc import Mapping

from service.berths import Key
from service.catalogue import Reading
from service.docking import Docks
from service.metrics import Metrics
from service.traffic import Canary, Traffic, takes_canary

Serving = Mapping[str, Mapping[str, int]]


class Steering:
    """The traffic file of one store, as one server follows it."""

    def __init__(self, docks: Docks, metrics: Metrics) -> None:
        self._docks = docks
        self._metrics = metrics
        self.pins: frozenset[Key] = frozenset()
        self.canaries: dict[tuple[str, str], Canary] = {}
        self.problem: str | None = None

    def pick(self, name: str, alias: str, number: int, sticky: str | None) -> int:
        """The version that a request for an alias gets, its own or its canary's.

        Args:
            name: The adapter.
            alias: Of that adapter.
            number: What the alias serves.
            sticky: Who asks, if that is known.
        """
        canary = self.canaries.get((name, alias))
        if canary is None or not takes_canary(canary, f"{name}@{alias}", sticky):
            return number
        # One that is not docked (yet, or after a restart that it did not survive) answers nobody.
        berth = self._docks.berths.get(Key(name, canary.version))
        return canary.version if berth is not None and berth.state == "docked" else number

    def follow(self, reading: Reading, serving: Serving) -> list[Key]:
        """Take in the file as last read and what aliases serve now; returns versions newly kept."""
        before = self._docks.kept
        canaries = _live(reading.traffic, serving)
        pins = frozenset(
            Key(name, number)
            for name, adapter in reading.traffic.adapters.items()
            for number in adapter.pins
            if name in reading.entries and number in reading.entries[name].versions
        )
        wanted = [Key(name, canary.version) for (name, _), canary in sorted(canaries.items())]
        wanted += sorted(pins - set(wanted))
        kept = frozenset(wanted[: self._docks.max_kept])
        self.problem = reading.traffic_problem
        if len(wanted) > len(kept):
            self.problem = (
                f"{len(wanted)} versions are to be kept docked, expected {self._docks.max_kept} at "
                "most. Unpin some, end a canary, or raise max_docked_versions"
            )
        self._docks.keep(kept)
        self._tell(pins, canaries)
        for key in before - kept:
            if key.number not in serving.get(key.name, {}).values():
                self._docks.drain(key)
        return sorted(kept - before)

    def _tell(self, pins: frozenset[Key], canaries: dict[tuple[str, str], Canary]) -> None:
        """Note what is new and what is over."""
        events = self._docks.events
        for key in sorted(pins - self.pins):
            events.note("pinned", str(key))
        for key in sorted(self.pins - pins):
            events.note("unpinned", str(key))
        if canaries != self.canaries:
            for (name, alias), canary in canaries.items():
                if self.canaries.get((name, alias)) != canary:
                    share = f"{canary.percent:g} % to version {canary.version}"
                    events.note("canary_started", f"{name}@{alias}", share)
            for name, alias in self.canaries.keys() - canaries.keys():
                events.note("canary_ended", f"{name}@{alias}")
            self._metrics.set_canaries(
                {pair: (canary.version, canary.percent) for pair, canary in canaries.items()}
            )
        self.pins, self.canaries = pins, canaries


def _live(traffic: Traffic, serving: Serving) -> dict[tuple[str, str], Canary]:
    """The canaries whose alias still serves what they were started against."""
    return {
        (name, alias): canary
        for name, adapter in traffic.adapters.items()
        for alias, canary in adapter.canaries.items()
        if serving.get(name, {}).get(alias) == canary.against
    }


def over(reading: Reading) -> list[tuple[str, str, Canary]]:
    """Canaries whose alias has been moved in the store, by whomever."""
    return [
        (name, alias, canary)
        for name, adapter in reading.traffic.adapters.items()
        for alias, canary in adapter.canaries.items()
        if name not in reading.unreadable
        and (
            name not in reading.entries
            or reading.entries[name].aliases.get(alias) != canary.against
        )
    ]
