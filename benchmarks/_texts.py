"""What a model answers in its own words, without an interpreter.

A chain of thought with its conclusion, or a program and the value that the model says it returns.
"""

import re
from collections.abc import Sequence

import httpx

import reasoning
from benchmarks._questions import SEED, Asked
from benchmarks._tallies import TIMEOUT_S, Tally, Told, ask_all
from training.problems import Language, generate
from training.tasks import PLACEHOLDER, TASKS

ANSWER = "# answer: "
WORKED = 2
ANSWER_TOKENS = 16
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+|/\d+)?")
_CHINESE = re.compile("[\u4e00-\u9fff]")


async def chains(client: httpx.AsyncClient, model: str, questions: Sequence[Asked]) -> Tally:
    """Ask an adapter of chains of thought; its conclusion is the answer."""

    async def one(asked: Asked) -> Told:
        text, spent = await _chat(client, model, asked.text)
        return Told(asked, reasoning.check(text).answer, spent)

    return Tally(*await ask_all(questions, one))


async def simulated(client: httpx.AsyncClient, model: str, questions: Sequence[Asked]) -> Tally:
    """Let a solver write its program and then say itself what that returns.

    Solvers are not trained to say it, so two worked programs with their answers stand before.
    """

    async def one(asked: Asked) -> Told:
        program, spent = await _chat(client, model, asked.text)
        prompt = f"{worked(asked.text)}{_form(asked.text, program)}"
        body = {"model": model, "prompt": prompt, "max_tokens": ANSWER_TOKENS, "temperature": 0.0}
        response = await client.post("/v1/completions", json=body, timeout=TIMEOUT_S)
        response.raise_for_status()
        document = response.json()
        # What follows the first line is the next problem, made up.
        found = _NUMBER.search(document["choices"][0]["text"].partition("\n")[0])
        answer = found[0].replace(",", "") if found else None
        return Told(asked, answer, spent + document["usage"]["completion_tokens"])

    return Tally(*await ask_all(questions, one))


def worked(question: str) -> str:
    """Two problems that are trained on, with programs and answers, in the question's language."""
    language: Language = "zh" if _CHINESE.search(question) else "en"
    problems = generate(seed=SEED, count=WORKED, language=language, split="train")
    return "".join(
        f"{_form(problem.question, problem.program)}{problem.answer}\n\n" for problem in problems
    )


def _form(question: str, program: str) -> str:
    asked = TASKS["pseudocode"].prompt.replace(PLACEHOLDER, question)
    return f"{asked}{program.strip()}\n{ANSWER}"


async def _chat(client: httpx.AsyncClient, model: str, question: str) -> tuple[str, int]:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": question}],
        "temperature": 0.0,
        "solve": False,
    }
    response = await client.post("/v1/chat/completions", json=body, timeout=TIMEOUT_S)
    response.raise_for_status()
    document = response.json()
    text = document["choices"][0]["message"]["content"] or ""
    return text, document["usage"]["completion_tokens"]
