"""Every metric of the service, under the prefix `loradock_`, on a registry of its own.

Labels come from closed sets: adapters and versions that were served, route names, statuses.
What a client typed is never a label. The engine's own `vllm:*` text is appended by the route.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BASE = "base"
OTHER = "other"
# What a request is counted under that named nothing we serve.
NONE = "none"
# Pairs of adapter and version with series of their own; later ones share one.
MAX_LABELLED_VERSIONS = 500

_SERVED = ("adapter", "version")
_LATENCY_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_TOKEN_GAP_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_TOKENS_PER_S = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

Served = tuple[str, str]


class Metrics:
    """The series of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._labelled: set[Served] = {(BASE, BASE), (OTHER, OTHER), (NONE, NONE)}
        self._declare_requests()
        self._declare_adapters()
        self._declare_server()

    def _declare_requests(self) -> None:
        self._requests = self._counter(
            "requests", "Requests answered, by route and HTTP status.", ("route", "code", *_SERVED)
        )
        self._refusals = self._counter(
            "refusals",
            "Requests answered by an error, by its code and what was asked for.",
            ("adapter", "reason"),
        )
        self._ttft = self._histogram(
            "time_to_first_token_seconds",
            "From arrival of a streamed request to its first token.",
            _SERVED,
            _LATENCY_S,
        )
        self._inter_token = self._histogram(
            "inter_token_seconds", "Between tokens of one streamed answer.", _SERVED, _TOKEN_GAP_S
        )
        self._duration = self._histogram(
            "request_duration_seconds",
            "From arrival of an answered request to its last byte.",
            _SERVED,
            _LATENCY_S,
        )
        self._waiting = self._histogram(
            "queue_seconds",
            "From arrival to the engine: the queue, and docking if it was needed.",
            _SERVED,
            _LATENCY_S,
        )
        self._speed = self._histogram(
            "output_tokens_per_second",
            "Output tokens of one request, divided by its seconds in the engine.",
            _SERVED,
            _TOKENS_PER_S,
        )
        self._prompt_tokens = self._counter("prompt_tokens", "Tokens of prompts.", _SERVED)
        self._output_tokens = self._counter("output_tokens", "Tokens generated.", _SERVED)
        self._disconnects = self._counter(
            "client_disconnects", "Requests whose client left before the end.", _SERVED
        )
        self._in_flight = self._gauge("requests_in_flight", "Requests in the engine.", _SERVED)
        self._leases = self._gauge("leases", "Requests that hold a docked version.", _SERVED)

    def _declare_adapters(self) -> None:
        self._dock_seconds = self._histogram(
            "dock_seconds",
            "Check, load and probe of a version that was docked.",
            ("adapter",),
            _LATENCY_S,
        )
        self._docks = self._counter("docks", "Attempts to dock.", ("adapter", "outcome"))
        self._undocks = self._counter("undocks", "Versions undocked.", ("adapter", "why"))
        self._moves = self._counter(
            "alias_moves", "Aliases moved, or kept since the move failed.", ("adapter", "outcome")
        )
        self._alias = self._gauge(
            "alias_info",
            "Which version an alias serves; always 1.",
            ("adapter", "alias", "version"),
        )

        self._canaries = self._gauge(
            "canary_ratio",
            "Share of an alias's requests that a canary takes, 0 to 1.",
            ("adapter", "alias", "version"),
        )

    def _declare_server(self) -> None:
        self._queued = self._gauge("requests_queued", "Requests waiting for the engine.", ())
        self._docked_versions = self._gauge("docked_versions", "Versions in the engine.", ())
        self._places = self._gauge("places", "Versions for which the engine has a place.", ())
        self.engine_up = self._gauge("engine_up", "1 while the engine serves.", ())
        self.engine_restarts = self._counter("engine_restarts", "Restarts of a dead engine.", ())
        self.engine_restart_seconds = self._histogram(
            "engine_restart_seconds",
            "From the engine's death to its versions docked again.",
            (),
            _LATENCY_S,
        )
        self.store_readable = self._gauge("store_readable", "1 if the last reading worked.", ())
        self._draining = self._gauge("draining", "1 once the server was told to stop.", ())

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"loradock_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(f"loradock_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(f"loradock_{name}", text, labels, registry=self.registry, buckets=buckets)

    def set_state(self, *, queued: int, docked: int, places: int, draining: bool) -> None:
        """What is only looked at when the page is asked for."""
        self._queued.set(queued)
        self._docked_versions.set(docked)
        self._places.set(places)
        self._draining.set(draining)

    def text(self) -> str:
        """The exposition of our own series."""
        return generate_latest(self.registry).decode()

    def served(self, adapter: str, version: str) -> Served:
        """The labels of what answers a request, from a set that stays small."""
        pair = (adapter, version)
        if pair not in self._labelled:
            if len(self._labelled) >= MAX_LABELLED_VERSIONS:
                return OTHER, OTHER
            self._labelled.add(pair)
        return pair

    def answered(self, route: str, code: int, served: Served) -> None:
        """Count a finished request."""
        self._requests.labels(route, str(code), *served).inc()

    def refused(self, adapter: str, reason: str) -> None:
        """Count an error by its code; `adapter` is one that is served, `base` or `none`."""
        self._refusals.labels(self._adapter(adapter), reason).inc()

    def entered(self, served: Served, queue_s: float) -> None:
        """A request reached the engine."""
        self._waiting.labels(*served).observe(queue_s)
        self._in_flight.labels(*served).inc()

    def left(self, served: Served) -> None:
        """A request left the engine, however it ended."""
        self._in_flight.labels(*served).dec()

    def disconnected(self, served: Served) -> None:
        """A client left before its answer was complete."""
        self._disconnects.labels(*served).inc()

    def first_token(self, served: Served, seconds: float) -> None:
        """The first token of a streamed answer."""
        self._ttft.labels(*served).observe(seconds)

    def gaps(self, served: Served) -> Histogram:
        """Where one stream records its gaps; looked up once, since it is used for each token."""
        return self._inter_token.labels(*served)

    def completed(self, served: Served, seconds: float) -> None:
        """An answer was complete."""
        self._duration.labels(*served).observe(seconds)

    def tokens(self, served: Served, prompt: int, output: int, engine_s: float) -> None:
        """What the engine says it read and wrote for one request."""
        self._prompt_tokens.labels(*served).inc(prompt)
        self._output_tokens.labels(*served).inc(output)
        if output and engine_s > 0:
            self._speed.labels(*served).observe(output / engine_s)

    def docked(self, adapter: str, outcome: str, seconds: float | None) -> None:
        """An attempt to dock ended; `seconds` only of those that worked."""
        adapter = self._adapter(adapter)
        self._docks.labels(adapter, outcome).inc()
        if seconds is not None:
            self._dock_seconds.labels(adapter).observe(seconds)

    def undocked(self, adapter: str, why: str) -> None:
        """A version left the engine."""
        self._undocks.labels(self._adapter(adapter), why).inc()

    def moved(self, adapter: str, outcome: str) -> None:
        """An alias moved (`moved`), or could not (`failed`)."""
        self._moves.labels(self._adapter(adapter), outcome).inc()

    def _adapter(self, adapter: str) -> str:
        return adapter if self.served(adapter, BASE)[0] == adapter else OTHER

    def set_leases(self, adapter: str, version: int, leases: int) -> None:
        """How many requests hold a docked version."""
        self._leases.labels(*self.served(adapter, str(version))).set(leases)

    def forget_leases(self, adapter: str, version: int) -> None:
        """A version left; its gauge goes with it."""
        self._leases.remove(*self.served(adapter, str(version)))

    def set_aliases(self, aliases: Mapping[str, Mapping[str, int]]) -> None:
        """Which version each alias serves."""
        self._alias.clear()
        for name, targets in aliases.items():
            for alias, number in targets.items():
                adapter, version = self.served(name, str(number))
                self._alias.labels(adapter, alias, version).set(1)
                self._begin_at_zero(adapter)

    def _begin_at_zero(self, adapter: str) -> None:
        """Show counters before they count: `increase` takes no notice of a first value of 1."""
        for outcome in ("docked", "failed"):
            self._docks.labels(adapter, outcome)
        for outcome in ("moved", "failed"):
            self._moves.labels(adapter, outcome)

    def set_canaries(self, canaries: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        """The version and percentage of each (adapter, alias) that has a canary."""
        self._canaries.clear()
        for (name, alias), (number, percent) in canaries.items():
            adapter, version = self.served(name, str(number))
            self._canaries.labels(adapter, alias, version).set(percent / 100)
