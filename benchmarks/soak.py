"""An hour of everything at once on the real service: does anything get lost, go wrong, or grow?

New versions come from a publisher of parrots, adapters that say one known word, in the place of
trainings: they take the same way into the store, and what they answer can be judged.
"""

import argparse
import asyncio
import random
import re
import string
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from adapters.store import Store
from benchmarks import _pages, _parrots
from benchmarks._resources import Resources, held
from benchmarks._servers import Server, loradock
from benchmarks._soaking import Sayings, Seen, Soak
from benchmarks._trends import Slope, slope
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure, machine

PAGE, MARK = _pages.DOCS / "reliability.md", "soak"
SECONDS, LEAST_SECONDS, WRITTEN_FROM_S = 3600.0, 5.0, 600.0
SAMPLES = 240
PUBLISH_EVERY_S = 20.0
# What is reserved at the beginning is no leak.
WARM_SHARE = 0.25
SETTLE_TIMEOUT_S = 60.0
HOUR_S, MIB = 3600.0, 1 << 20
NAMES = ("alpha", "beta")


@dataclass
class Watched:
    """What was held, and when: seconds since the start, with leases beside them."""

    samples: list[tuple[float, Resources]] = field(default_factory=list)
    leases: list[int] = field(default_factory=list)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What this benchmark can be told beside what all can."""
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long [3600]")
    parser.add_argument(
        "--fake", action="store_true", help="the service over the fake engine; no page is written"
    )


def run(*, seconds: float = SECONDS, fake: bool = False) -> list[Figure]:
    """Soak, and write the table into the page if it was long enough.

    Raises:
        BenchmarkError: It would be too short to see anything.
    """
    if seconds < LEAST_SECONDS:
        raise BenchmarkError(
            f"--seconds is {seconds:g}, expected {LEAST_SECONDS:g} or more: a slope needs samples."
        )
    with tempfile.TemporaryDirectory(prefix="loradock-soak-") as name:
        found = soak(Path(name), seconds, fake=fake)
    if seconds >= WRITTEN_FROM_S and not fake:
        _pages.write_between(PAGE, MARK, as_table(found, seconds))
    return found


def soak(place: Path, seconds: float, *, fake: bool) -> list[Figure]:
    """Start a server on parrots and soak it."""
    base = _parrots.make_base(place / _parrots.BASE)
    store = Store(place / "store")
    sayings = Sayings(store, _publisher(store, base, place), _said if fake else _parroted)
    for name in NAMES:
        for _ in range(2):
            sayings.publish(name)
        store.set_alias(name, "stable", 1, expected=None, who="benchmark", why="start")
    module = "benchmarks._layer_server" if fake else "service"
    flags = ["--base", str(base.directory), "--store", str(store.root)]
    with loradock(module, flags, place / "log", {"ANSWER_TOKENS": "20"}) as server:
        seen, watched = asyncio.run(_run(server, sayings, seconds))
    return figures(seen, watched)


def _publisher(store: Store, base: _parrots.Base, place: Path) -> Callable[[str], tuple[int, str]]:
    chance = random.Random(7)  # noqa: S311 - words, not secrets

    def publish(name: str) -> tuple[int, str]:
        word = "".join(chance.sample(string.ascii_lowercase, 4))
        with tempfile.TemporaryDirectory(dir=place) as scratch:
            version = _parrots.publish(store, name, base, Path(scratch), word)
        return version.number, word

    return publish


def _parroted(_: str, word: str, text: str) -> bool:
    return _parrots.parroted(word, text)


def _said(version: str, _: str, text: str) -> bool:
    """Of the fake engine, which begins with the version's name."""
    return text.startswith(version)


async def _run(server: Server, sayings: Sayings, seconds: float) -> tuple[Seen, Watched]:
    load = Soak(server.url, sayings, seconds, publish_every_s=min(PUBLISH_EVERY_S, seconds / 10))
    watched, started_s = Watched(), time.monotonic()
    soaking = asyncio.create_task(load.run())
    while not soaking.done():
        watched.samples.append((time.monotonic() - started_s, held(server.process.pid)))
        await asyncio.wait({soaking}, timeout=seconds / SAMPLES)
    await soaking
    watched.leases = await _leases_at_end(server.url)
    return load.seen, watched


async def _leases_at_end(url: str) -> list[int]:
    """Of every docked version, once nothing is in the engine; clients have just left."""
    async with httpx.AsyncClient(base_url=url, timeout=SETTLE_TIMEOUT_S) as client:
        end_s = time.monotonic() + SETTLE_TIMEOUT_S
        while time.monotonic() < end_s:
            page = (await client.get("/metrics")).text
            counts = re.findall(r"^loradock_requests_in_flight\S* (\S+)$", page, re.MULTILINE)
            if not any(map(float, counts)):
                break
            await asyncio.sleep(0.1)
        listed = (await client.get("/admin/adapters")).json()["adapters"]
    return [docked["leases"] for adapter in listed for docked in adapter["docked"]]


def figures(seen: Seen, watched: Watched) -> list[Figure]:
    """What was counted, and whether anything grew."""
    asked = seen.answers.total() + len(seen.lost)
    rows = watched.samples[int(len(watched.samples) * WARM_SHARE) :]
    return [
        Figure("answers", seen.answers.total(), "", note=f"by {len(seen.answers)} versions"),
        Figure("lost", len(seen.lost), "", note=f"of {asked}; {_first(seen.lost)}"),
        Figure("wrong", len(seen.wrong), "", note=_first(seen.wrong)),
        Figure("clients that left in mid-stream", seen.left, ""),
        Figure("bad requests refused", seen.refused, ""),
        Figure(
            "bad requests not refused", len(seen.not_refused), "", note=_first(seen.not_refused)
        ),
        Figure("moves of an alias", seen.moves.total(), "", note=str(dict(seen.moves))),
        Figure("versions published", seen.published, "", note=f"{seen.collected} collected by gc"),
        Figure("leases at the end", sum(watched.leases), ""),
        _grown("memory", "MiB", [(at, one.memory_bytes / MIB) for at, one in rows]),
        _grown("file handles", "", [(at, float(one.handles)) for at, one in rows]),
        _grown("threads", "", [(at, float(one.threads)) for at, one in rows]),
    ]


def _first(found: Sequence[str]) -> str:
    return f"first: {found[0]}" if found else ""


def _grown(what: str, unit: str, points: Sequence[tuple[float, float]]) -> Figure:
    """The least that it surely grew in an hour, from the slope's interval; 0 if it did not."""
    grows = Slope(*(HOUR_S * part for part in slope(points)))
    verdict = "flat" if grows.flat else ("grows" if grows.low > 0 else "shrinks")
    note = (
        f"{verdict}: {grows.middle:+.2f} an hour, 95 %: {grows.low:+.2f} to {grows.high:+.2f}; "
        f"{points[0][1]:.0f} after the start, {points[-1][1]:.0f} at the end"
    )
    return Figure(
        f"{what}, surely grown", max(0.0, grows.low), f"{unit} an hour".strip(), note=note
    )


def as_table(found: Sequence[Figure], seconds: float) -> str:
    """The figures in Markdown, with how long and on what."""
    rows = [
        [figure.name, f"{figure.value:,.4g} {figure.unit}".strip(), figure.note] for figure in found
    ]
    facts = machine()
    text = _pages.table(["what", "found", ""], rows)
    return f"{text}\n\n{seconds:,.0f} s, on {facts['platform']}, {facts['cores']} cores."
