"""The next steps of a chain of algorithms: word the prompt, ask, read, run what can be run.

Knows no HTTP; asks the engine through a function that it is given.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from pseudocode.evolution.confinement import Bounds, run
from pseudocode.evolution.screening import MAX_SOURCE_CHARACTERS, only_function, screen
from pseudocode.evolution.verdicts import Verdict, judge
from pseudocode.evolution.wording import (
    ProgramStage,
    Proposal,
    Stage,
    UnreadableProposal,
    as_stage,
    chain_prompt,
    read_proposal,
)
from service.answers import ChatCompletion, Usage
from service.engine.errors import RequestRefused
from service.engine.protocol import JSON, DockedAdapter
from service.requests import MAX_MODEL_CHARACTERS, ChatRequest, Message

MAX_STAGES = 12
MAX_CASES = 8
MAX_PROPOSALS = 4
# Tighter than evaluation: a request runs up to 17 programs while others wait for the cores.
BOUNDS = Bounds(timeout_s=5.0, cpu_s=5, memory_mib=256, max_instructions=250_000)
Line = Annotated[str, Field(min_length=1, max_length=600)]
Lines = Annotated[list[Line], Field(min_length=1, max_length=8)]
Chat = Callable[[JSON, DockedAdapter | None, str], Awaitable[JSON | AsyncIterator[JSON]]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ChainStage(_Strict):
    """One algorithm of the chain, oldest first."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    ideas: Lines
    pseudocode: str = Field(min_length=1, max_length=4000)
    weaknesses: Lines
    year: str | None = Field(None, max_length=12)
    answers: Line | None = Field(None, description="the weakness of the one before that it answers")
    change: Line | None = Field(None, description="what was changed to that end")


class ProgramCase(_Strict):
    """Arguments of one call, and what must be returned."""

    arguments: list[JsonValue] = Field(max_length=8)
    result: JsonValue


class ChainProgram(_Strict):
    """The last algorithm as a Python function whose last parameter counts operations."""

    source: str = Field(min_length=1, max_length=MAX_SOURCE_CHARACTERS)
    cost: Line = Field(description="what was measured, in words")
    cases: Annotated[list[ProgramCase], Field(min_length=1, max_length=MAX_CASES)]

    @model_validator(mode="after")
    def _may_run(self) -> "ChainProgram":
        faults = screen(self.source, only_function(self.source) or "")
        if faults:
            raise ValueError(f"source cannot be run: {'; '.join(faults[:3])}")
        return self


class EvolutionRequest(_Strict):
    """A chain whose next algorithm is asked for."""

    model: str = Field(min_length=1, max_length=MAX_MODEL_CHARACTERS)
    purpose: Line
    chain: Annotated[list[ChainStage], Field(min_length=1, max_length=MAX_STAGES)]
    weakness: Line | None = Field(None, description="the one to answer; left open if absent")
    steps_ahead: Literal[1, 2] = Field(1, description="2 asks again with the proposal in the chain")
    n: int = Field(1, ge=1, le=MAX_PROPOSALS, description="proposals for the first step")
    temperature: float = Field(0.0, ge=0, le=2)
    max_tokens: int = Field(768, ge=16, le=4096)
    program: ChainProgram | None = Field(None, description="asks for programs, and runs them")


class RunVerdict(BaseModel):
    """What running a proposal came to; work is counted in instructions of the interpreter."""

    status: Literal["refused", "failed", "wrong", "no_better", "better"]
    message: str
    work: float | None
    work_before: float | None


class EvolutionProposal(BaseModel):
    """One proposal; `problem` says why there is none to read, and `text` is what was written."""

    steps_ahead: Literal[1, 2]
    follows: int | None = Field(None, description="index of the proposal that this one builds on")
    name: str | None = None
    weakness_answered: str | None = None
    ideas: list[str] = []
    pseudocode: str | None = Field(None, description="Python where a program was asked for")
    reasons: str | None = None
    verdict: RunVerdict | None = Field(None, description="where a program was asked for")
    problem: str | None = None
    text: str


class EvolutionAnswer(BaseModel):
    """Proposals, those of the first step first."""

    model: str
    proposals: list[EvolutionProposal]
    usage: Usage


class Proposer:
    """Answers one request by an engine's chat; made for each request."""

    def __init__(self, chat: Chat, request: EvolutionRequest) -> None:
        self._chat = chat
        self._request = request
        self._model = request.model
        self._tokens = [0, 0]

    async def answer(self, body: JSON, adapter: DockedAdapter | None, request_id: str) -> JSON:
        """Ask for the steps and read, and run, what comes.

        A second step is asked for after every readable first one.

        Args:
            body: The chat request of the first step.
            adapter: Who is asked.
            request_id: The engine's; the questions of second steps append a number.

        Raises:
            RequestRefused: The chain's own program fails on its cases, or the prompt is too long.
            EngineError: The engine is gone or full.
        """
        request = self._request
        if request.program is not None:
            await asyncio.to_thread(_check_cases, request.program)
        texts = await self._ask(body, adapter, request_id)
        proposals = [await _read(text, 1, None, request.program) for text in texts]
        if request.steps_ahead == 2:
            for place, first in enumerate(list(proposals)):
                if first.name is None:
                    continue
                second = {**body, "n": 1, "messages": _messages(_after(request, first))}
                (text,) = await self._ask(second, adapter, f"{request_id}-{place}")
                proposals.append(await _read(text, 2, place, _improved(request.program, first)))
        usage = Usage(
            prompt_tokens=self._tokens[0],
            completion_tokens=self._tokens[1],
            total_tokens=sum(self._tokens),
        )
        answer = EvolutionAnswer(model=self._model, proposals=proposals, usage=usage)
        return answer.model_dump(mode="json")

    async def _ask(self, body: JSON, adapter: DockedAdapter | None, request_id: str) -> list[str]:
        reply = await self._chat(body, adapter, request_id)
        if not isinstance(reply, dict):
            raise TypeError("a stream, though none was asked for")
        completion = ChatCompletion.model_validate(reply)
        self._model = completion.model
        self._tokens[0] += completion.usage.prompt_tokens
        self._tokens[1] += completion.usage.completion_tokens
        return [str(choice.message.get("content") or "") for choice in completion.choices]


def chat_request(request: EvolutionRequest) -> ChatRequest:
    """The question of the first step."""
    program = request.program
    told = ProgramStage(program.source, program.cost) if program else None
    chain = [_stage(stage) for stage in request.chain]
    prompt = chain_prompt(request.purpose, chain, weakness=request.weakness, program=told)
    return ChatRequest(
        model=request.model,
        messages=[Message(role="user", content=prompt)],
        n=request.n,
        temperature=request.temperature,
        max_tokens=request.max_tokens,
    )


def _after(request: EvolutionRequest, first: EvolutionProposal) -> str:
    """The question for the step after a proposal."""
    chain = [_stage(stage) for stage in request.chain]
    proposed = Proposal(
        name=first.name or "",
        answers=first.weakness_answered or "",
        ideas=first.ideas,
        pseudocode=first.pseudocode or "",
        reasons=first.reasons or "",
    )
    told = ProgramStage(proposed.pseudocode, "not yet measured") if request.program else None
    return chain_prompt(request.purpose, [*chain, as_stage(proposed)], program=told)


def _messages(prompt: str) -> list[JsonValue]:
    return [{"role": "user", "content": prompt}]


def _stage(stage: ChainStage) -> Stage:
    return Stage(**stage.model_dump())


async def _read(
    text: str, steps: Literal[1, 2], follows: int | None, before: ChainProgram | None
) -> EvolutionProposal:
    try:
        found = read_proposal(text)
    except UnreadableProposal as error:
        return EvolutionProposal(steps_ahead=steps, follows=follows, problem=str(error), text=text)
    verdict = await asyncio.to_thread(_judge, found.pseudocode, before) if before else None
    return EvolutionProposal(
        steps_ahead=steps,
        follows=follows,
        name=found.name,
        weakness_answered=found.answers or None,
        ideas=list(found.ideas),
        pseudocode=found.pseudocode,
        reasons=found.reasons or None,
        verdict=RunVerdict(**vars(verdict)) if verdict else None,
        text=text,
    )


def _judge(source: str, before: ChainProgram) -> Verdict:
    expected = [(case.arguments, case.result) for case in before.cases]
    return judge(
        (source, only_function(source) or ""),
        (before.source, only_function(before.source) or ""),
        [arguments for arguments, _ in expected],
        lambda arguments, result: (list(arguments), result) in expected,
        bounds=BOUNDS,
    )


def _improved(program: ChainProgram | None, first: EvolutionProposal) -> ChainProgram | None:
    """What a second program is held against: the first proposal if it is right, else the chain's."""
    right = first.verdict is not None and first.verdict.status in ("better", "no_better")
    if program is None or first.pseudocode is None or not right:
        return program
    return program.model_copy(update={"source": first.pseudocode})


def _check_cases(program: ChainProgram) -> None:
    """Refuse a chain whose own program does not pass its cases: nothing could be held against it."""
    entry = only_function(program.source) or ""
    ran = run(program.source, entry, [case.arguments for case in program.cases], BOUNDS)
    for number, (case, done) in enumerate(zip(program.cases, ran, strict=True)):
        if done.error is None and done.result == case.result:
            continue
        got = done.error or f"it returns {str(done.result)[:60]}"
        raise RequestRefused(
            400,
            f"program: on case {number} {entry} does not give the result stated: {got}. Correct the "
            "source or the case.",
            "program",
        )
