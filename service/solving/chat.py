"""Solving behind `/v1/chat/completions`: the text is the program and the answer, as a comment.

So the text as a whole is a program that gives the same answer again. What is not of the
pseudocode task, or asks for the bare text, goes to the engine as it is; a chain of thought comes
back with its verdict beside it.
"""

import re
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

from service.chains import with_chain
from service.engine.errors import RequestRefused
from service.engine.protocol import JSON, DockedAdapter
from service.requests import ChatRequest
from service.solving.attempts import doubt_of_question
from service.solving.options import MAX_QUESTION_CHARACTERS, SolveOptions
from service.solving.questions import Question
from service.solving.sampling import Count
from service.solving.solution import Solved
from service.solving.solver import Solver, unanswered
from service.solving.streams import TextStream, added

# With any of these a client looks at the text itself; solving would only be in its way.
OF_BARE_TEXT = (
    "n",
    "logprobs",
    "top_logprobs",
    "tools",
    "response_format",
    "structured_outputs",
)
WORDS = {"en": ("answer", "no answer"), "zh": ("答案", "没有答案")}


async def answer_chat(
    solver: Solver,
    request: ChatRequest,
    body: JSON,
    adapter: DockedAdapter | None,
    request_id: str,
) -> JSON | AsyncIterator[JSON]:
    """Answer a chat: solved where the adapter and the request are for it, else the engine's.

    Raises:
        NotASolver: Solving was asked for of an adapter that was trained for something else.
        RequestRefused: Solving was asked for with a field that is about bare text, or the engine
            refuses the body.
    """
    body = {name: value for name, value in body.items() if name != "solve"}
    bare = [name for name in OF_BARE_TEXT if body.get(name) is not None]
    if request.solve is False or (request.solve is None and (bare or not solver.knows(adapter))):
        answer = await solver.engine.chat(body, adapter, request_id)
        checked = request.solve is None and request.n in (None, 1) and solver.reasons(adapter)
        return await with_chain(answer) if checked else answer
    trained = solver.require(adapter)
    if bare:
        raise RequestRefused(
            400, f"{bare[0]}: it cannot be set with `solve`. Leave one of them out.", bare[0]
        )
    options = request.solve if isinstance(request.solve, SolveOptions) else SolveOptions()
    question = Question(_last_question(request), options, body)
    if request.stream and options.samples == 1 and not options.verify:
        return _streamed(solver, question, trained, request_id)
    solved, count = await solver.solve(question, trained, request_id)
    frame = _Frame(trained.name, request_id, int(time.time()))
    if request.stream:
        return frame.at_once(solved, question, count)
    return frame.whole(solved, question, count)


def _last_question(request: ChatRequest) -> str:
    """What the last message of the user says, which is what an adapter's template renders.

    Raises:
        RequestRefused: It is longer than any question that is solved.
    """
    texts = [message.content for message in request.messages if message.role == "user"]
    text = texts[-1] if texts else None
    question = text if isinstance(text, str) else ""
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise RequestRefused(
            400,
            f"messages: the question has {len(question)} characters; at most "
            f"{MAX_QUESTION_CHARACTERS} are solved. Shorten it, or set `solve` to false.",
            "messages",
        )
    return question


async def _streamed(
    solver: Solver, question: Question, adapter: DockedAdapter, request_id: str
) -> AsyncIterator[JSON]:
    """The engine's chunks as they come; the answer is added before the one that ends the choice."""
    frame = _Frame(adapter.name, request_id, int(time.time()))
    doubt = doubt_of_question(question.text, question.options.language)
    if doubt is not None:
        async for chunk in frame.at_once(unanswered(doubt), question, Count()):
            yield chunk
        return
    stream = TextStream(solver.engine, question.constrained(), adapter, request_id)
    async with aclosing(stream.chunks()) as chunks:
        async for chunk, piece in chunks:
            if chunk.get("choices") and added(chunk)[1] is None:
                yield chunk
            elif piece:
                yield frame.piece(piece)
    solved, _ = await solver.decide(question, [stream.draft], None, request_id)
    yield frame.piece(f"{_break_after(stream.draft.text)}{answer_line(solved, question)}")
    yield frame.end(solved)
    yield frame.usage(stream.count)


def text_of(solved: Solved, question: Question) -> str:
    """The program and, as a comment below it, what it computes."""
    return f"{solved.program}{_break_after(solved.program)}{answer_line(solved, question)}"


def _break_after(text: str) -> str:
    return "" if not text or text.endswith("\n") else "\n"


def answer_line(solved: Solved, question: Question) -> str:
    """The answer, or why there is none, as a line that the dialect takes for a comment."""
    chinese = question.options.language == "zh" or re.search("[\u4e00-\u9fff]", question.text)
    answer, no_answer = WORDS["zh" if chinese else "en"]
    if solved.abstained is not None:
        return f"# {no_answer}: {solved.abstained}"
    return f"# {answer}: {solved.answer}"


class _Frame:
    """Builds chat completions and their chunks around what was solved."""

    def __init__(self, model: str, request_id: str, created: int) -> None:
        self._head: JSON = {"id": f"chatcmpl-{request_id}", "created": created, "model": model}

    def whole(self, solved: Solved, question: Question, count: Count) -> JSON:
        message: JSON = {
            "role": "assistant",
            "content": text_of(solved, question),
            "refusal": None,
        }
        choice: JSON = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": _finish_reason(solved),
        }
        return {
            **self._head,
            "object": "chat.completion",
            "choices": [choice],
            "usage": count.usage(),
            "solution": solved.model_dump(mode="json"),
        }

    async def at_once(
        self, solved: Solved, question: Question, count: Count
    ) -> AsyncIterator[JSON]:
        """A stream of what is known as a whole."""
        yield self._chunk({"role": "assistant", "content": text_of(solved, question)})
        yield self.end(solved)
        yield self.usage(count)

    def piece(self, text: str) -> JSON:
        return self._chunk({"content": text})

    def end(self, solved: Solved) -> JSON:
        """The chunk that ends the choice; it carries what a whole answer carries beside the text."""
        chunk = self._chunk({}, _finish_reason(solved))
        return {**chunk, "solution": solved.model_dump(mode="json")}

    def usage(self, count: Count) -> JSON:
        return {**self._chunk({}), "choices": [], "usage": count.usage()}

    def _chunk(self, delta: JSON, finish_reason: str | None = None) -> JSON:
        choice: JSON = {
            "index": 0,
            "delta": delta,
            "logprobs": None,
            "finish_reason": finish_reason,
        }
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}


def _finish_reason(solved: Solved) -> str:
    return "length" if solved.abstained == "length" else "stop"
