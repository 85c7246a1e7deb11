"""`POST /v1/evolution/next` over the fake engine: proposals, verdicts, two steps, clear refusals."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service.engine.fake import FakeEngine
from service.evolution import EvolutionRequest
from tests.service.memory_store import MemoryStore
from tests.service.running import Running, running

LOOP = "def f(n, ops):\n    t = 0\n    for i in range(n + 1):\n        t += i\n    return t\n"
FORMULA = "def g(n, ops):\n    return n * (n + 1) // 2\n"
WRITTEN = (
    "Algorithm: Closed form\nAnswers: It adds one by one.\nIdeas: use a formula; no loop.\n"
    f"Pseudocode:\n{FORMULA}Reasons: A sum of neighbours is known."
)
STAGE = {
    "name": "Loop",
    "ideas": ["add one by one"],
    "pseudocode": "for i: t += i",
    "weaknesses": ["n steps"],
}
BODY: dict[str, Any] = {"model": "alpha", "purpose": "Add up.", "chain": [STAGE]}
PROGRAM = {
    "source": LOOP,
    "cost": "n additions",
    "cases": [{"arguments": [10], "result": 55}, {"arguments": [50], "result": 1275}],
}


class Scripted:
    """Answers one text after the other and notes the prompts."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.prompts: list[str] = []

    def __call__(self, name: str, prompt: str) -> str:
        if "Purpose: " not in prompt:
            return f"{name} is probed"
        self.prompts.append(prompt)
        return self.texts[min(len(self.prompts), len(self.texts)) - 1]


@pytest.fixture
def script() -> Scripted:
    return Scripted(WRITTEN)


@pytest.fixture
async def served(script: Scripted, memory_store: MemoryStore) -> AsyncIterator[Running]:
    async with running(FakeEngine(answer=script), memory_store) as started:
        yield started


async def ask(app: Running, **fields: object) -> dict[str, Any]:
    response = await app.client.post("/v1/evolution/next", json={**BODY, **fields})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def refused(app: Running, **fields: object) -> dict[str, Any]:
    response = await app.client.post("/v1/evolution/next", json={**BODY, **fields})
    assert response.status_code == 400, response.text
    error: dict[str, Any] = response.json()["error"]
    return error


async def test_a_proposal_comes_back_in_its_parts(served: Running, script: Scripted) -> None:
    answer = await ask(served, weakness="n steps")
    (proposal,) = answer["proposals"]
    assert answer["model"] == "alpha@1"
    assert proposal["steps_ahead"] == 1
    assert proposal["name"] == "Closed form"
    assert proposal["weakness_answered"] == "It adds one by one."
    assert proposal["ideas"] == ["use a formula", "no loop"]
    assert proposal["pseudocode"] == FORMULA.rstrip()
    assert proposal["verdict"] is None
    assert "Answer this weakness: n steps" in script.prompts[0]
    assert answer["usage"]["total_tokens"] > 0


async def test_a_program_is_run_against_the_one_before(served: Running, script: Scripted) -> None:
    answer = await ask(served, program=PROGRAM)
    verdict = answer["proposals"][0]["verdict"]
    assert verdict["status"] == "better"
    assert verdict["work"] < verdict["work_before"]
    assert "Cost: n additions" in script.prompts[0]


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("def g(n, ops):\n    return n\n", "wrong"),
        ("import os\n", "refused"),
        ("def g(n, ops):\n    return n // 0\n", "failed"),
        (LOOP, "no_better"),
    ],
)
async def test_a_program_that_is_no_improvement_says_why(
    served: Running, script: Scripted, program: str, status: str
) -> None:
    script.texts = [WRITTEN.replace(FORMULA, program)]
    (proposal,) = (await ask(served, program=PROGRAM))["proposals"]
    assert proposal["verdict"]["status"] == status
    assert proposal["verdict"]["message"]


async def test_two_steps_ahead_feeds_the_proposal_back(served: Running, script: Scripted) -> None:
    script.texts = [WRITTEN, WRITTEN.replace("Closed form", "Closer form")]
    answer = await ask(served, steps_ahead=2)
    first, second = answer["proposals"]
    assert (first["steps_ahead"], second["steps_ahead"]) == (1, 2)
    assert second["follows"] == 0
    assert second["name"] == "Closer form"
    assert "2. Closed form. It answers: It adds one by one." in script.prompts[1]


async def test_a_second_program_is_held_against_the_first(
    served: Running, script: Scripted
) -> None:
    script.texts = [WRITTEN, WRITTEN.replace(FORMULA, LOOP)]
    answer = await ask(served, steps_ahead=2, program=PROGRAM)
    statuses = [proposal["verdict"]["status"] for proposal in answer["proposals"]]
    assert statuses == ["better", "no_better"]


async def test_what_cannot_be_read_is_given_as_it_is_with_the_reason(
    served: Running, script: Scripted
) -> None:
    script.texts = ["I do not know."]
    answer = await ask(served, steps_ahead=2)
    (proposal,) = answer["proposals"]
    assert proposal["text"] == "I do not know."
    assert "no Algorithm" in proposal["problem"]
    assert len(script.prompts) == 1


async def test_several_proposals_are_each_read(served: Running) -> None:
    answer = await ask(served, n=3, temperature=0.8)
    assert len(answer["proposals"]) == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"chain": []}, "chain"),
        ({"chain": [{**STAGE, "colour": "red"}]}, "colour"),
        ({"steps_ahead": 3}, "steps_ahead"),
        ({"program": {**PROGRAM, "source": "import os\n"}}, "cannot be run"),
        ({"program": {**PROGRAM, "cases": []}}, "cases"),
        (
            {"program": {**PROGRAM, "cases": [{"arguments": [10], "result": 54}]}},
            "does not give the result stated: it returns 55",
        ),
    ],
)
async def test_a_wrong_request_is_refused_with_what_is_wrong(
    served: Running, fields: dict[str, object], message: str
) -> None:
    error = await refused(served, **fields)
    assert message in error["message"]


async def test_an_unknown_model_is_404_and_nothing_stays_held(served: Running) -> None:
    response = await served.client.post("/v1/evolution/next", json={**BODY, "model": "nobody"})
    assert response.status_code == 404
    await ask(served)
    assert served.parts.admission.in_flight == 0
    assert all(berth.leases == 0 for berth in served.parts.docks.berths.values())


def test_the_request_in_the_documentation_is_one() -> None:
    page = Path(__file__).parents[2] / "docs" / "tasks" / "evolution.md"
    found = re.search(r"-d '(\{.*?\})'\n```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    request = EvolutionRequest.model_validate(json.loads(found[1]))
    assert request.program is not None
    assert request.chain[0].name == "Loop"
