"""The real engine: vLLM's AsyncLLM behind its OpenAI serving objects, without its web server.

An adapter is chosen by its version's name in `lora_requests`. vLLM's resolvers, in-place reloads
and load routes are never used: see `docs/service.md`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from prometheus_client import Metric, generate_latest
from starlette.requests import Request
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.entrypoints.openai.completion.protocol import CompletionRequest
from vllm.lora.request import LoRARequest
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError
from vllm.v1.metrics.prometheus import get_prometheus_registry

from service.engine import launching
from service.engine.answering import answered, as_request
from service.engine.constraining import require_compilable
from service.engine.errors import DockFailed, EngineDead, RequestRefused
from service.engine.profile import EngineSettings
from service.engine.prompting import NO_TOOLS, rendered, with_defaults
from service.engine.protocol import JSON, DockedAdapter
from service.engine.serving import Serving, serve
from service.engine.trace_headers import TRACE_HEADERS

# Hands a text that is rendered already through vLLM's chat handling unchanged.
VERBATIM_TEMPLATE = "{{ messages[0]['content'] }}"
# What decides how messages become text; an adapter with a template has decided already.
TEMPLATE_FIELDS = (
    "chat_template",
    "chat_template_kwargs",
    "add_generation_prompt",
    "continue_final_message",
    "add_special_tokens",
    "documents",
    "tools",
)
DEATH_POLL_S = 0.25

T = TypeVar("T")


class VllmEngine:
    """See the module.

    Args:
        base_dir: The base model, a local directory.
        base_model: Its id for clients.
        settings: As `profile.choose` gives them.
        tool_parser: vLLM's name for how the base writes calls of tools; None: it does not.
        traces_url: Where vLLM sends a span for each request (OTLP over HTTP); None: nowhere.
    """

    def __init__(
        self,
        base_dir: Path,
        base_model: str,
        settings: EngineSettings,
        tool_parser: str | None = None,
        traces_url: str | None = None,
    ) -> None:
        self.base_model = base_model
        self.max_slots = settings.max_active
        self._base_dir = base_dir
        self._settings = settings
        self._tool_parser = tool_parser
        self._traces_url = traces_url
        self._serving: Serving | None = None
        self._keeper: ThreadPoolExecutor | None = None
        self._launch: Future[AsyncLLM] | None = None

    async def start(self) -> None:
        """Start the engine's processes; the event loop stays free meanwhile."""
        await self.stop()
        # The kernel ends the engine's process with the thread that started it, so one is kept.
        self._keeper = ThreadPoolExecutor(1, thread_name_prefix="engine-keeper")
        self._launch = self._keeper.submit(
            launching.start, self._base_dir, self.base_model, self._settings, self._traces_url
        )
        llm = await asyncio.wrap_future(self._launch)
        # Off the event loop vLLM could not begin to read what its process says; this begins it.
        await self._unless_dead(llm, llm.get_supported_tasks())
        self._serving = serve(llm, self.base_model, self._base_dir, self._tool_parser)

    async def stop(self) -> None:
        """End all processes of the engine, also those of a start that is under way."""
        if self._serving is not None:
            llm = self._serving.llm
            # vLLM would leave open requests waiting for ever, and take its end for a failure.
            llm.output_processor.propagate_error(EngineDeadError())
            if llm.output_handler is not None:
                llm.output_handler.cancel()
        keeper, launch, self._serving = self._keeper, self._launch, None
        self._keeper = self._launch = None
        if keeper is not None and launch is not None:
            await asyncio.wrap_future(keeper.submit(_end, launch))
            keeper.shutdown(wait=False)

    def alive(self) -> bool:
        """Whether the engine's process is up and has not failed."""
        return self._serving is not None and not self._serving.llm.errored

    async def dock(self, adapter: DockedAdapter) -> None:
        """Load an adapter and make its name known."""
        serving = self._running()
        llm, models = serving.llm, serving.models
        if not adapter.path.is_absolute() or not adapter.path.is_dir():
            # vLLM would take such a path for a repository's name and go and look for it.
            raise DockFailed(
                f"{adapter.name} was not loaded: {adapter.path} is not an absolute path of a "
                "directory. Publish it again."
            )
        if len(models.lora_requests) >= self._settings.max_docked:
            raise DockFailed(
                f"{adapter.name} was not loaded: all {self._settings.max_docked} places are taken. "
                "Undock another adapter first, or raise max_docked_versions."
            )
        request = LoRARequest(adapter.name, adapter.int_id, str(adapter.path))
        try:
            await self._unless_dead(llm, llm.add_lora(request))
        except EngineDead:
            raise
        except BaseException as error:
            # vLLM keeps an adapter that failed half-way under its id and would then take it for
            # loaded. An id is never used again, so this is the end of it.
            await self._unless_dead(llm, llm.remove_lora(adapter.int_id))
            if not isinstance(error, Exception):
                raise
            raise DockFailed(
                f"{adapter.name} was not loaded from {adapter.path}: {error}. Expected a LoRA for "
                f"{self.base_model} of rank {self._settings.max_rank} at most. Verify it with "
                "`python -m adapters verify`."
            ) from error
        models.lora_requests[adapter.name] = request

    async def undock(self, adapter: DockedAdapter) -> None:
        """Forget an adapter's name and free its memory."""
        serving = self._running()
        serving.models.lora_requests.pop(adapter.name, None)
        await self._unless_dead(serving.llm, serving.llm.remove_lora(adapter.int_id))

    async def docked(self) -> set[int]:
        """The ids that the engine's process holds."""
        llm = self._running().llm
        return set(await self._unless_dead(llm, llm.list_loras()))

    async def chat(
        self, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        """Answer a chat body, with the adapter's own template if it has one."""
        serving = self._running().chat
        _refuse_templates(body)
        form = adapter.prompt if adapter else None
        complete = with_defaults(body, form)
        self._require_tools(complete)
        await require_compilable(complete)
        if form is not None and form.template is not None:
            complete = _verbatim(complete, rendered(form.template, body.get("messages")))
        request = as_request(ChatCompletionRequest, self._addressed(complete, adapter, request_id))
        return await answered(
            lambda: serving.create_chat_completion(request, _traced()), self._dead
        )

    async def complete(
        self, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        """Answer a completion body."""
        serving = self._running().completion
        complete = self._addressed(with_defaults(body, None), adapter, request_id)
        await require_compilable(complete)
        request = as_request(CompletionRequest, complete)
        return await answered(lambda: serving.create_completion(request, _traced()), self._dead)

    def metrics_text(self) -> str:
        """The `vllm:*` series."""
        return generate_latest(_VllmSeries()).decode()

    def _addressed(self, body: JSON, adapter: DockedAdapter | None, request_id: str) -> JSON:
        """To whom it goes, under which id, and with a usage chunk at the end of a stream."""
        addressed: JSON = {
            **body,
            "model": adapter.name if adapter else self.base_model,
            "request_id": request_id,
        }
        if body.get("stream") is True:
            options = body.get("stream_options")
            given = options if isinstance(options, dict) else {}
            addressed["stream_options"] = {**given, "include_usage": True}
        return addressed

    def _require_tools(self, body: JSON) -> None:
        if body.get("tools") and self._tool_parser is None:
            raise RequestRefused(400, NO_TOOLS.format(base=self.base_model), "tools")

    def _dead(self) -> bool:
        return not self.alive()

    def _running(self) -> Serving:
        if self._serving is None or not self.alive():
            raise EngineDead("The engine is not running.")
        return self._serving

    async def _unless_dead(self, llm: AsyncLLM, work: Awaitable[T]) -> T:
        """Wait for the engine's process to answer; vLLM itself would wait for a dead one."""
        task = asyncio.ensure_future(work)
        while not (await asyncio.wait({task}, timeout=DEATH_POLL_S))[0]:
            if llm.errored or self._launch is None:
                task.cancel()
                raise EngineDead("The engine stopped before it answered.")
        return task.result()


def _traced() -> Request | None:
    """The HTTP request that vLLM reads the trace's headers from; None where nobody traces."""
    headers = TRACE_HEADERS.get()
    if not headers:
        return None
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


def _end(launch: Future[AsyncLLM]) -> None:
    """Shut down what a launch has started; runs on the thread of the launch, so after it."""
    if launch.cancelled() or launch.exception() is not None:
        return
    launch.result().shutdown()


class _VllmSeries:
    """vLLM's own metrics among all those of this process."""

    def collect(self) -> Iterator[Metric]:
        for metric in get_prometheus_registry().collect():
            if metric.name.startswith("vllm:"):
                yield metric


def _refuse_templates(body: JSON) -> None:
    """A template is code; it never comes from a client."""
    options = body.get("chat_template_kwargs")
    nested = options if isinstance(options, dict) else {}
    for holder, place in ((body, "chat_template"), (nested, "chat_template_kwargs.chat_template")):
        if holder.get("chat_template") is not None:
            raise RequestRefused(400, f"{place}: templates from clients are refused.", place)


def _verbatim(body: JSON, text: str) -> JSON:
    """A chat body whose prompt is a given text."""
    for name in TEMPLATE_FIELDS:
        if name in body:
            raise RequestRefused(
                400, f"{name}: this adapter has a prompt form of its own, which decides it.", name
            )
    return {
        **body,
        "messages": [{"role": "user", "content": text}],
        "chat_template": VERBATIM_TEMPLATE,
    }
