"""What the service may ask of an engine, and nothing about how it is done."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from adapters.manifest import PromptForm

JSON = dict[str, JsonValue]


@dataclass(frozen=True)
class DockedAdapter:
    """One immutable version of an adapter, as the engine knows it.

    Attributes:
        name: "pseudocode@3"; the engine's name for it, and `model` in its responses.
        int_id: Positive, and never used twice in a process, not even after a failed load.
        path: A PEFT directory that does not change while the version is docked.
        prompt: How chat messages become the text it was trained on.
    """

    name: str
    int_id: int
    path: Path
    prompt: PromptForm


class Engine(Protocol):
    """Serves one base model and the adapters docked on it.

    Bodies and answers are those of the OpenAI API. With `body["stream"]` the answer is an async
    iterator of chunks without SSE framing whose last chunk has `choices == []` and a `usage`,
    whether or not the client asked for one. Closing the iterator aborts the generation.
    `body["model"]` is not read: the adapter decides, None being the base.

    Attributes:
        base_model: The base's id for clients.
        max_slots: Adapters computed in one step; requests of others wait, and may wait for ever.
    """

    base_model: str
    max_slots: int

    async def start(self) -> None:
        """Return when requests can be served.

        Raises:
            EngineStartFailed: It cannot run with these settings on this machine.
        """

    async def stop(self) -> None:
        """End the engine and all its processes; open requests end in EngineDead."""

    def alive(self) -> bool:
        """Whether requests can be served."""

    async def dock(self, adapter: DockedAdapter) -> None:
        """Load an adapter beside those that serve.

        Raises:
            DockFailed: It cannot be loaded; the engine is as it was, the id is used up.
            EngineDead: The engine is gone.
        """

    async def undock(self, adapter: DockedAdapter) -> None:
        """Drop an adapter, which the caller guarantees no request uses.

        Raises:
            EngineDead: The engine is gone.
        """

    async def docked(self) -> set[int]:
        """The ids of the adapters the engine holds.

        Raises:
            EngineDead: The engine is gone.
        """

    async def chat(
        self, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        """Answer a chat completion request.

        An adapter's own template, stop strings and sampling apply where the body sets none.

        Raises:
            RequestRefused: The body is wrong.
            EngineDead: The engine is gone; also raised from within the iterator.
            EngineOverloaded: The engine's queue is full.
        """

    async def complete(
        self, body: JSON, adapter: DockedAdapter | None, request_id: str
    ) -> JSON | AsyncIterator[JSON]:
        """Answer a text completion request: the prompt is taken as it stands.

        Raises:
            RequestRefused: The body is wrong.
            EngineDead: The engine is gone; also raised from within the iterator.
            EngineOverloaded: The engine's queue is full.
        """

    def metrics_text(self) -> str:
        """The engine's own series in Prometheus' text format, "" if it has none."""
