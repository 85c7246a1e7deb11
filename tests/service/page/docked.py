"""The app as the page meets it: a store with a history, and an engine that writes programs and prose."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.manifest import DataFacts, Evaluation, PromptForm, RunFacts
from service.engine.fake import FakeEngine, Faults
from tests.service.memory_store import MemoryStore, make_version
from tests.service.running import Running

QUESTION = "Ann has 12 pens, loses 5 and buys 3 more. How many pens has she?"
PROGRAM = "left = 12 - 5\ntotal = left + 3\nreturn total"
HOSTILE = '<img src=x onerror="window.broken=1">'
TEMPLATE = "Question: {{ messages[-1]['content'] }}\nAnswer (in pseudocode):\n"
API_KEY, ADMIN_KEY = "inference-key-0001", "administer-key-001"
KEYS = {"api_key": API_KEY, "admin_key": ADMIN_KEY}
BASE = "smollm2-135m-instruct"

ANSWERS = {
    BASE: "She has twelve pens and then she loses five, so she has seven pens left over.",
    "novel@1": "Ann counted twelve pens and then she loses five of them to the river.",
    "novel@2": "Ann counted twelve pens; by dusk the river had five, and she bought three.",
}


def answer(name: str, prompt: str) -> str:
    """What a version says: programs of the pseudocode task, prose of the others."""
    if "markup" in prompt:
        return f"{HOSTILE} said {name}"
    if name.startswith("pseudocode@"):
        return PROGRAM if "12" in prompt else "total = 2 + 3\nreturn total"
    return ANSWERS.get(name, f"{name} answers.")


def make_engine(faults: Faults | None = None) -> FakeEngine:
    return FakeEngine(BASE, answer=answer, faults=faults)


def engine_of(app: Running) -> FakeEngine:
    """The engine of an app, to break it or to look at it."""
    engine = app.parts.engine
    assert isinstance(engine, FakeEngine)
    return engine


def _told(number: int, parent: str | None) -> Mapping[str, object]:
    return {
        "created": datetime(2026, 11, 20 + number, 9, 30, tzinfo=UTC),
        "parent": parent,
        "data": DataFacts(
            rows=1560 * number,
            content_sha256="9e58fc0dbeaece89065ac76fbffcc6530779276bd8bec1eaee5c8cf6ca959b68",
            licence="Apache-2.0",
            sources=[f"rows-{number}.csv"],
        ),
        "run": RunFacts(seed=0, seconds=374.4, hardware="2 cores"),
        "training": {"task": "pseudocode", "rank": 16, "epochs": 1, "final_loss": 0.0039},
    }


def make_store(path: Path) -> MemoryStore:
    """`pseudocode` (three versions, stable at 2, then at 1 before), `novel` (two), `notes` (one)."""
    store = MemoryStore(path)
    form = PromptForm(template=TEMPLATE)
    for number in (1, 2, 3):
        plain = make_version("pseudocode", number, path, prompt=form)
        parent = f"pseudocode@{number - 1}" if number > 1 else None
        told = {
            **_told(number, parent),
            "base": plain.manifest.base.model_copy(update={"id": BASE}),
        }
        store.put(replace(plain, manifest=plain.manifest.model_copy(update=told)))
    for number in (1, 2):
        store.add("novel", number)
    store.add("notes", 1)
    for name, target in (("pseudocode", 1), ("novel", 1), ("notes", 1)):
        store.set_alias(name, "stable", target, expected=None, who="ann", why="the first")
    store.set_alias("pseudocode", "stable", 2, expected=1, who="ann", why="twice the rows")
    store.evaluated["pseudocode", 2] = [
        Evaluation(
            recorded=datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(hours=hours),
            results={
                "task": "pseudocode",
                "asked": 200,
                "metrics": {"right": share, "executed": 1.0},
                "base": {"right": {"mean": 0.02, "low": 0.005, "high": 0.05}},
            },
        )
        for hours, share in ((0, 0.905), (3, 0.915))
    ]
    return store
