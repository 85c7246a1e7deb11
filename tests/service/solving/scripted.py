"""An engine that writes the programs a test tells it to, and a store with a solver on it."""

import math
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from pydantic import JsonValue

from adapters.manifest import PromptForm, Sampling
from service.engine.fake import FakeEngine, Faults
from service.engine.protocol import JSON, DockedAdapter
from tests.service.memory_store import MemoryStore

TEMPLATE = "Question: {{ messages[-1]['content'] }}\nAnswer (in pseudocode):\n"
QUESTION = "Ann has 12 pens, loses 5 and buys 3 more. How many pens has she?"
RIGHT = "left = 12 - 5\ntotal = left + 3\nreturn total"
OTHER = "total = 12 + 5 + 3\nreturn total"


class ScriptedEngine(FakeEngine):
    """Gives one greedy text, and others where several are drawn.

    Args:
        greedy: What it writes greedily, whatever the question.
        drawn: What it writes when several are drawn, in turn.
        scores: A verifier's probabilities of `right`, by a text that the program contains.

    Attributes:
        bodies: All chat bodies, oldest first.
    """

    def __init__(
        self,
        greedy: str = RIGHT,
        drawn: Sequence[str] = (),
        scores: dict[str, float] | None = None,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(answer=lambda name, prompt: self.greedy, faults=faults)
        self.greedy = greedy
        self.drawn = drawn
        self.scores = scores or {}
        self.bodies: list[JSON] = []

    async def chat(
        self, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        self.bodies.append(body)
        answer = await super().chat(body, adapter, request_id)
        if not isinstance(answer, dict) or not isinstance(answer["choices"], list):
            return answer
        for place, choice in enumerate(answer["choices"]):
            assert isinstance(choice, dict)
            if body.get("top_logprobs"):
                choice["logprobs"] = {"content": [{"top_logprobs": self._likeliest(str(body))}]}
            elif body.get("n") is not None and self.drawn:
                text = self.drawn[place % len(self.drawn)]
                choice["message"] = {"role": "assistant", "content": text}
        return answer

    def _likeliest(self, prompt: str) -> list[JsonValue]:
        right = next(score for text, score in self.scores.items() if text in prompt)
        return [
            {"token": "right", "logprob": _log(right)},
            {"token": "wr", "logprob": _log(1 - right)},
        ]


def _log(probability: float) -> float:

    return math.log(max(probability, 1e-9))


def store_with_solver(path: Path, *, verifier: bool = False) -> MemoryStore:
    """`pseudocode` (two versions, stable at 1), `novel`, and a verifier if asked for."""
    store = MemoryStore(path)
    form = PromptForm(template=TEMPLATE, sampling=Sampling(max_tokens=200))
    for number in (1, 2):
        store.add("pseudocode", number, prompt=form)
    store.add("novel", 1, prompt=PromptForm(template="{{ messages[-1]['content'] }}"))
    names = ["pseudocode", "novel"]
    if verifier:
        store.add("pseudocode-verifier", 1)
        names.append("pseudocode-verifier")
    for name in names:
        store.set_alias(name, "stable", 1, expected=None, who="test", why="start")
    return store
