"""Is a constraint on the output one that compiles, and soon? Asked before vLLM compiles it.

vLLM compiles on the event loop and without a limit, so one schema could hold up every request.
Here it happens in a thread, against a limit; llguidance itself bounds its size and memory.
"""

import asyncio
import json

import llguidance
from llguidance import LLMatcher
from pydantic import JsonValue

from service.engine.errors import RequestRefused
from service.engine.protocol import JSON

COMPILE_TIMEOUT_S = 3.0


async def require_compilable(body: JSON) -> None:
    """Refuse a body whose constraint is wrong, or takes too long.

    Args:
        body: A chat or completion body.

    Raises:
        RequestRefused: It does not compile, or not in `COMPILE_TIMEOUT_S`.
    """
    found = _constraint(body)
    if found is None:
        return
    param, kind, text = found
    try:
        async with asyncio.timeout(COMPILE_TIMEOUT_S):
            problem = await asyncio.to_thread(_problem, kind, text)
    except TimeoutError as error:
        raise RequestRefused(
            400,
            f"{param}: it takes longer than {COMPILE_TIMEOUT_S:g} s to compile; expected a simpler "
            "one. Shorten its repetitions and alternatives.",
            param,
        ) from error
    if problem:
        raise RequestRefused(400, f"{param}: it does not compile: {problem[:500]}", param)


def _constraint(body: JSON) -> tuple[str, str, str] | None:
    """The field, the kind and the text of the body's constraint, if it has one."""
    form = body.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_schema":
        wrapped = form.get("json_schema")
        schema = wrapped.get("schema") if isinstance(wrapped, dict) else None
        return "response_format", "json", _text(schema)
    given = body.get("structured_outputs")
    if not isinstance(given, dict):
        return None
    for kind in ("json", "regex", "grammar", "choice"):
        if given.get(kind) is not None:
            return "structured_outputs", kind, _text(given[kind])
    return None


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _problem(kind: str, text: str) -> str:
    """Why it does not compile; "" if it does."""
    try:
        if kind == "json":
            grammar = LLMatcher.grammar_from_json_schema(text)
        elif kind == "choice":
            grammar = LLMatcher.grammar_from_json_schema(json.dumps({"enum": json.loads(text)}))
        else:
            grammar = llguidance.grammar_from(kind, text)
    except ValueError as error:
        return str(error)
    return str(LLMatcher.validate_grammar(grammar, None))
