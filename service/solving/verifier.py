"""Scores of programs by the verifier: an adapter that says `right` or `wrong`.

Its prompt is `pseudocode.verifying`'s, its score the probability of `right` among the two words.
"""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from pseudocode.verifying import RIGHT, WRONG, verifier_prompt
from service.engine.protocol import JSON, DockedAdapter, Engine
from service.errors import UnknownModel, VerifierMissing
from service.parts import Parts
from service.solving.sampling import Count, count_of, together

MAX_LIKELIEST = 20


@asynccontextmanager
async def verifier(parts: Parts) -> AsyncIterator[DockedAdapter]:
    """Hold the verifier.

    Raises:
        VerifierMissing: The store has none.
        AdapterUnavailable: It cannot be docked.
    """
    name = parts.solving.verifier
    try:
        version = parts.reconciler.find(name) or await parts.reconciler.find_again(name)
    except UnknownModel as error:
        raise VerifierMissing(
            f"`verify` needs the adapter {name!r}, which is not in the store. Train and publish "
            "one, name another as verifier_adapter, or ask without `verify`."
        ) from error
    async with parts.docks.lease(version) as adapter:
        yield adapter


async def scores_of(
    engine: Engine,
    adapter: DockedAdapter,
    question: str,
    programs: Sequence[str],
    request_id: str,
) -> tuple[dict[str, float], Count]:
    """The probability of each program to be right, in the verifier's view, all in one batch."""
    answers = await together(
        [
            _ask(engine, adapter, verifier_prompt(question, program), f"{request_id}-v{number}")
            for number, program in enumerate(programs)
        ]
    )
    total = Count()
    for answer in answers:
        total = total.plus(count_of(answer))
    scored = {program: score_of(answer) for program, answer in zip(programs, answers, strict=True)}
    return scored, total


async def _ask(engine: Engine, adapter: DockedAdapter, prompt: str, request_id: str) -> JSON:
    body: JSON = {
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": 1,
        "temperature": 0.0,
        "logprobs": True,
        "top_logprobs": MAX_LIKELIEST,
    }
    answer = await engine.chat(body, adapter, request_id)
    if not isinstance(answer, dict):
        raise TypeError("the engine streams an answer that was asked for as a whole")
    return answer


def score_of(answer: JSON) -> float:
    """The share of `right` among the two words' probabilities at the first token; 0 if neither is.

    The first token of a word may be a part of it: the two words begin with different letters.
    """
    shares = {RIGHT: 0.0, WRONG: 0.0}
    for token, logprob in _likeliest(answer):
        beginning = token.strip()
        for word in shares:
            if beginning and word.startswith(beginning):
                shares[word] += math.exp(logprob)
    total = sum(shares.values())
    return shares[RIGHT] / total if total > 0 else 0.0


def _likeliest(answer: JSON) -> Iterator[tuple[str, float]]:
    """The likeliest first tokens with their log-probabilities, each once."""
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    logprobs = choice.get("logprobs") if isinstance(choice, dict) else None
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    first = content[0] if isinstance(content, list) and content else None
    likeliest = first.get("top_logprobs") if isinstance(first, dict) else None
    for entry in likeliest if isinstance(likeliest, list) else []:
        token = entry.get("token") if isinstance(entry, dict) else None
        logprob = entry.get("logprob") if isinstance(entry, dict) else None
        if isinstance(token, str) and isinstance(logprob, float) and not math.isnan(logprob):
            yield token, logprob
