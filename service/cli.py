"""`python -m service [settings]`; `keys` for who may ask, `mcp`; `openapi`, `reference` for documents.

Exit codes: 0 stopped in order, 1 the engine failed for good, 2 something has to be set right first.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.errors import AdapterError
from adapters.layout import default_root
from basemodels import BaseModelError, resolve
from configuration import ConfigurationError, load
from service import keycommands, keyfile, logs
from service.app import bare_app, create_app
from service.checking import Checker
from service.engine.errors import EngineError, EngineStartFailed
from service.engine.hardware import base_facts, detect
from service.engine.profile import Wishes, choose
from service.engine.protocol import Engine
from service.errors import KeyFileError, StartError
from service.mcp import stdio
from service.openapi import render
from service.parts import Parts
from service.preflight import bind, open_store, unfit, url_of
from service.reference import fill, tables
from service.server import serve
from service.settings import Settings
from service.tracing import Traced, open_tracing, traces_url

PROG = "python -m service"
EXPECTED = (
    AdapterError,
    BaseModelError,
    ConfigurationError,
    EngineStartFailed,
    KeyFileError,
    StartError,
)

# Returns the engine and the highest rank of an adapter that it takes.
MakeEngine = Callable[[Settings, Path], tuple[Engine, int]]


def main(argv: Sequence[str] | None = None, make_engine: MakeEngine | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: The command line without the program's name; this process's if unset.
        make_engine: Builds the engine from the settings and the base's directory; vLLM's if unset.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["openapi"]:
        print(render(bare_app()), end="")
        return 0
    if arguments[:1] == ["mcp"]:
        return stdio.main(arguments[1:])
    if arguments[:1] == ["reference"]:
        return _refer(arguments[1:])
    try:
        if arguments[:1] == ["keys"]:
            print(keycommands.run(arguments[1:]))
            return 0
        settings = load(
            Settings, arguments, prog=PROG, file_flag="--config", env_prefix="LORADOCK_"
        )
        failure = _run(settings, make_engine or make_vllm)
    except EXPECTED as error:
        _say(str(error))
        return 2
    if failure is None:
        return 0
    if not isinstance(failure, EngineError):
        raise failure
    _say(f"the engine failed: {failure}")
    return 1


def _refer(documents: Sequence[str]) -> int:
    """Print the tables, or fill them into documents."""
    if not documents:
        print("\n\n".join(tables().values()))
    for path in map(Path, documents):
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


def _run(settings: Settings, make_engine: MakeEngine) -> BaseException | None:
    base_dir = resolve(settings.base)
    store = open_store(settings.store or default_root())
    warnings = unfit(store, base_dir, settings.max_lora_rank)
    if settings.key_file is not None:
        keyfile.read(settings.key_file)
    tracing = open_tracing(settings.traces_endpoint) if settings.traces_endpoint else None
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(bind(settings.host, settings.port))]
        if settings.admin_port is not None:
            listeners.append(stack.enter_context(bind(settings.admin_host, settings.admin_port)))
        logs.configure()
        _say(f"settings: {settings!r}")
        for warning in warnings:
            _say(warning)
        engine, max_lora_rank = make_engine(settings, base_dir)
        _say(f"waiting for the engine to start on {base_dir}")
        urls = [url_of(listener) for listener in listeners]
        app = create_app(
            settings,
            engine,
            store,
            admit=Checker(store, base_dir, max_lora_rank).admit,
            announce=lambda parts: _announce(urls, parts),
            admin_port=listeners[1].getsockname()[1] if len(listeners) > 1 else None,
        )
        if tracing is not None:
            app.add_middleware(Traced, tracing=tracing)
            stack.callback(tracing.close)
        return asyncio.run(
            serve(app, listeners, drain_timeout_s=settings.drain_timeout_s, say=_say)
        )


def _announce(urls: Sequence[str], parts: Parts) -> None:
    admin = f" · admin {urls[1]}/admin" if len(urls) > 1 else ""
    docked = ", ".join(sorted(map(str, parts.docks.berths))) or "none"
    base = parts.engine.base_model
    _say(f"ready: {urls[0]}/v1{admin} · base {base} · docked: {docked}")


def _say(line: str) -> None:
    print(f"service: {line}", file=sys.stderr, flush=True)


def make_vllm(settings: Settings, base_dir: Path) -> tuple[Engine, int]:
    """Build vLLM's engine with the profile of this machine, and say why it is as it is.

    Raises:
        EngineStartFailed: The memory is too small.
    """
    # vLLM takes many seconds to import, which `--help` and a wrong port must not wait for.
    from service.engine.tooling import parser_for  # noqa: PLC0415
    from service.engine.vllm_engine import VllmEngine  # noqa: PLC0415

    tool_parser = parser_for(base_dir, settings.tool_parser)
    wishes = Wishes(
        max_docked=settings.max_docked_versions,
        max_slots=settings.max_slots,
        max_rank=settings.max_lora_rank,
        dtype=settings.dtype,
        quantise=settings.quantise,
        context_tokens=settings.max_context_tokens,
        kv_cache_bytes=settings.kv_cache_bytes,
        memory_fraction=settings.gpu_memory_fraction,
        max_sequences=settings.max_batched_requests,
    )
    profile = choose(detect(), base_facts(base_dir), wishes)
    for reason in profile.reasons:
        _say(f"engine: {reason.setting} = {reason.value} ({reason.why})")
    traces = traces_url(settings.traces_endpoint) if settings.traces_endpoint else None
    base_model = base_id(settings.base, base_dir)
    engine = VllmEngine(base_dir, base_model, profile.settings, tool_parser, traces)
    return engine, profile.settings.max_rank


def base_id(base: str, base_dir: Path) -> str:
    """What clients call the base: its name or Hub id, or the last part of a directory's path."""
    if Path(base).expanduser().is_dir():
        return base_dir.name
    return base.partition("@")[0]
