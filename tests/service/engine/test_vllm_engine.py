"""vLLM as we run it: exact, isolated, and left clean after every failure."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
import torch

from adapters.manifest import PromptForm
from service.engine.errors import DockFailed, EngineDead, RequestRefused
from service.engine.protocol import JSON, DockedAdapter
from tests.service.engine.conftest import Version

if TYPE_CHECKING:
    from service.engine.vllm_engine import VllmEngine

pytestmark = pytest.mark.engine

PROMPTS = ["Once upon a time", "从前有座山", "Question: 3 + 4?\nAnswer:\n"]
TOLERANCE = 1e-3


@pytest.fixture
def kind() -> str:
    return "vllm"


@pytest.fixture
async def docked_pair(
    vllm_engine: "VllmEngine", version: Version
) -> AsyncIterator[tuple[DockedAdapter, DockedAdapter]]:
    pair = (version("alpha"), version("beta"))
    for adapter in pair:
        await vllm_engine.dock(adapter)
    yield pair
    for adapter in pair:
        await vllm_engine.undock(adapter)


class Answer:
    """Token ids and log-probabilities of one greedy answer."""

    def __init__(self, answer: JSON) -> None:
        choice = cast(list[JSON], answer["choices"])[0]
        logprobs = cast(dict[str, list[float]], choice["logprobs"])
        self.prompt_ids = cast(list[int], choice["prompt_token_ids"])
        self.ids = cast(list[int], choice["token_ids"])
        self.logprobs = logprobs["token_logprobs"]


async def greedy(
    engine: "VllmEngine", prompt: str, adapter: DockedAdapter | None, max_tokens: int = 24
) -> Answer:
    body: JSON = {
        "prompt": prompt,
        "temperature": 0.0,
        "max_tokens": max_tokens,
        "logprobs": 0,
        "return_token_ids": True,
        "ignore_eos": True,
    }
    answer = await engine.complete(body, adapter, "parity")
    assert isinstance(answer, dict)
    return Answer(answer)


def assert_equals_peft(answer: Answer, base_dir: Path, adapter_dir: Path | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tests.service.engine import tiny

        expected = tiny.logprobs(base_dir, adapter_dir, answer.prompt_ids + answer.ids)
    steps = expected[len(answer.prompt_ids) - 1 : -1]  # (tokens, V)
    assert steps.argmax(dim=-1).tolist() == answer.ids
    chosen = steps.gather(1, torch.tensor(answer.ids)[:, None])[:, 0]
    assert (chosen - torch.tensor(answer.logprobs)).abs().max().item() <= TOLERANCE


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_every_token_equals_pefts_alone_and_in_a_mixed_batch(
    vllm_engine: "VllmEngine",
    docked_pair: tuple[DockedAdapter, DockedAdapter],
    tiny_base: Path,
    prompt: str,
) -> None:
    whom = [None, *docked_pair]
    alone = [await greedy(vllm_engine, prompt, adapter) for adapter in whom]
    mixed = await asyncio.gather(
        *(greedy(vllm_engine, prompt, adapter) for _ in range(3) for adapter in whom)
    )
    for number, answer in enumerate([*alone, *mixed]):
        adapter = whom[number % len(whom)]
        assert_equals_peft(answer, tiny_base, adapter.path if adapter else None)
    assert len({tuple(answer.ids) for answer in alone}) == 3


async def test_the_base_in_a_mixed_batch_equals_the_base_alone(
    vllm_engine: "VllmEngine", docked_pair: tuple[DockedAdapter, DockedAdapter]
) -> None:
    alone = await greedy(vllm_engine, "Base alone", None, 40)
    mixed = await asyncio.gather(
        *(
            greedy(vllm_engine, "Base alone", adapter, 40)
            for adapter in [None, *docked_pair, None, *docked_pair, None]
        )
    )
    for answer in mixed[::3]:
        assert answer.ids == alone.ids
        assert answer.logprobs == pytest.approx(alone.logprobs, abs=1e-5)


async def test_log_probabilities_of_prompts_leave_the_engine_alive(
    vllm_engine: "VllmEngine", docked_pair: tuple[DockedAdapter, DockedAdapter]
) -> None:
    body: JSON = {"prompt": "Once upon", "echo": True, "logprobs": 1, "max_tokens": 2}
    answers = await asyncio.gather(
        *(vllm_engine.complete(body, adapter, "echo") for adapter in [None, *docked_pair])
    )
    for answer in answers:
        assert isinstance(answer, dict)
        choice = cast(list[JSON], answer["choices"])[0]
        logprobs = cast(dict[str, list[float]], choice["logprobs"])
        assert len(logprobs["token_logprobs"]) == len("<s>Once upon") - 2 + 2
    assert vllm_engine.alive()


async def test_a_templates_text_is_tokenised_as_it_stands(
    vllm_engine: "VllmEngine", version: Version, tiny_base: Path
) -> None:
    from transformers import AutoTokenizer

    from adapters import template

    source = "Frage: {{ messages[-1]['content'] }}{{ '\\n答案：\\n' }}"
    messages: JSON = {"messages": [{"role": "user", "content": "  你好</s> {{ 7*7 }}\n"}]}
    adapter = version(prompt=PromptForm(template=source))
    await vllm_engine.dock(adapter)
    for streamed in (False, True):
        body: JSON = {**messages, "max_tokens": 1, "return_token_ids": True, "stream": streamed}
        answer = await vllm_engine.chat(body, adapter, "ids")
        holder = answer if isinstance(answer, dict) else await anext(answer)
        text = template.render(source, cast(list[dict[str, str]], messages["messages"]))
        tokenizer = AutoTokenizer.from_pretrained(tiny_base)
        expected = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert holder["prompt_token_ids"] == expected
        assert tokenizer.decode(expected) == text
    await vllm_engine.undock(adapter)


async def test_without_a_template_the_bases_own_applies(
    vllm_engine: "VllmEngine", docked_pair: tuple[DockedAdapter, DockedAdapter], tiny_base: Path
) -> None:
    from transformers import AutoTokenizer

    messages = [{"role": "user", "content": "你好"}]
    body: JSON = {
        "messages": cast(list, messages),  # type: ignore[type-arg]
        "max_tokens": 1,
        "return_token_ids": True,
    }
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    expected = tokenizer("<s><user>你好<assistant>", add_special_tokens=False)["input_ids"]
    for adapter in (None, docked_pair[0]):
        answer = await vllm_engine.chat(body, adapter, "ids")
        assert isinstance(answer, dict)
        assert answer["prompt_token_ids"] == expected


@pytest.mark.parametrize(
    ("extra", "param"),
    [
        ({"chat_template": "{{ 1 }}"}, "chat_template"),
        ({"chat_template_kwargs": {"chat_template": "{{ 1 }}"}}, "chat_template_kwargs"),
    ],
)
async def test_templates_from_clients_are_refused(
    vllm_engine: "VllmEngine", extra: JSON, param: str
) -> None:
    body: JSON = {"messages": [{"role": "user", "content": "x"}], **extra}
    with pytest.raises(RequestRefused, match="templates from clients") as refusal:
        await vllm_engine.chat(body, None, "template")
    assert str(refusal.value.param).startswith(param)


async def test_fields_that_would_change_an_adapters_prompt_are_refused(
    vllm_engine: "VllmEngine", version: Version
) -> None:
    adapter = version(prompt=PromptForm(template="{{ messages[0]['content'] }}"))
    body: JSON = {
        "messages": [{"role": "user", "content": "x"}],
        "continue_final_message": True,
    }
    with pytest.raises(RequestRefused, match="prompt form of its own"):
        await vllm_engine.chat(body, adapter, "fields")


async def test_closing_a_stream_aborts_the_generation(
    vllm_engine: "VllmEngine", docked_pair: tuple[DockedAdapter, DockedAdapter]
) -> None:
    body: JSON = {"prompt": "x", "max_tokens": 480, "ignore_eos": True, "stream": True}
    for reads in (0, 1, 3):
        stream = await vllm_engine.complete(body, docked_pair[0], "abort")
        assert not isinstance(stream, dict)
        for _ in range(reads):
            await anext(stream)
        assert unfinished(vllm_engine) == 1
        await stream.aclose()  # type: ignore[attr-defined]
        await until_idle(vllm_engine)


async def test_cancelling_a_request_aborts_the_generation(vllm_engine: "VllmEngine") -> None:
    for streamed in (False, True):
        body: JSON = {"prompt": "x", "max_tokens": 480, "ignore_eos": True, "stream": streamed}
        task = asyncio.ensure_future(vllm_engine.complete(body, None, "cancel"))
        while not unfinished(vllm_engine):  # noqa: ASYNC110 - vLLM sets no event
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until_idle(vllm_engine)


def unfinished(engine: "VllmEngine") -> int:
    assert engine._serving is not None
    count: int = engine._serving.llm.get_num_unfinished_requests()
    return count


async def drained(stream: AsyncIterator[JSON]) -> int:
    return len([chunk async for chunk in stream])


async def until_idle(engine: "VllmEngine") -> None:
    async with asyncio.timeout(5):
        while unfinished(engine):  # noqa: ASYNC110 - vLLM sets no event
            await asyncio.sleep(0.01)


def broken(source: Path, target: Path, how: str) -> Path:
    """A copy of an adapter that vLLM cannot load."""
    target.mkdir()
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    config = json.loads((target / "adapter_config.json").read_text())
    weights = target / "adapter_model.safetensors"
    if how == "rank too high":
        config["r"] = 64
    elif how == "other shapes":
        config["r"] = 2
    elif how == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif how == "no weights":
        weights.unlink()
    (target / "adapter_config.json").write_text(json.dumps(config))
    return target


@pytest.mark.parametrize("how", ["rank too high", "truncated", "no weights"])
async def test_an_adapter_that_cannot_be_loaded_changes_nothing(
    vllm_engine: "VllmEngine",
    docked_pair: tuple[DockedAdapter, DockedAdapter],
    version: Version,
    tmp_path: Path,
    how: str,
) -> None:
    before = await greedy(vllm_engine, "x", docked_pair[0])
    bad = replace(version(), path=broken(docked_pair[0].path, tmp_path / "bad", how))
    with pytest.raises(DockFailed, match=bad.name):
        await vllm_engine.dock(bad)
    assert await vllm_engine.docked() == {adapter.int_id for adapter in docked_pair}
    assert (await greedy(vllm_engine, "x", docked_pair[0])).ids == before.ids
    # The place is free again.
    other = version("beta")
    await vllm_engine.dock(other)
    await vllm_engine.undock(other)


async def test_the_metrics_count_tokens(vllm_engine: "VllmEngine") -> None:
    await greedy(vllm_engine, "x", None, 5)
    names = {line.split("{")[0] for line in vllm_engine.metrics_text().splitlines()}
    assert {"vllm:generation_tokens_total", "vllm:num_requests_running"} <= names
    assert "python_info" not in names


async def test_an_undocked_adapter_is_not_answered_for(
    vllm_engine: "VllmEngine", version: Version
) -> None:
    adapter = version()
    await vllm_engine.dock(adapter)
    await vllm_engine.undock(adapter)
    with pytest.raises(RequestRefused) as refusal:
        await greedy(vllm_engine, "x", adapter)
    assert refusal.value.status == 404


async def test_a_grammar_of_lark_constrains_the_answer(vllm_engine: "VllmEngine") -> None:
    body: JSON = {
        "prompt": "x",
        "max_tokens": 8,
        "structured_outputs": {"grammar": 'start: "y" "甲"'},
    }
    answer = await vllm_engine.complete(body, None, "grammar")
    assert isinstance(answer, dict)
    assert cast(list[JSON], answer["choices"])[0]["text"] == "y甲"


@pytest.mark.parametrize(
    "constraint",
    [
        {"response_format": {"type": "json_object"}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "schema": {"enum": [{"a": 1}, {"a": 2}]}},
            }
        },
        {"structured_outputs": {"regex": r"\{\"a\": [12]\}"}},
        {"structured_outputs": {"choice": ['{"a": 1}', '{"a": 2}']}},
    ],
    ids=["object", "schema", "regex", "choice"],
)
async def test_a_constrained_chat_is_json(vllm_engine: "VllmEngine", constraint: JSON) -> None:
    question: JSON = {"role": "user", "content": "Say {}."}
    body: JSON = {"messages": [question], "max_tokens": 60, **constraint}
    answer = await vllm_engine.chat(body, None, "constrained")
    assert isinstance(answer, dict)
    choice = cast(list[JSON], answer["choices"])[0]
    if choice["finish_reason"] == "stop":
        assert isinstance(json.loads(str(cast(JSON, choice["message"])["content"])), dict)
    else:
        # A random model need not find the end of an object; what there is began one.
        assert str(cast(JSON, choice["message"])["content"]).lstrip().startswith("{")


async def test_an_engine_that_dies_ends_its_streams_and_says_so(
    vllm_engine: "VllmEngine", version: Version
) -> None:
    """Near the end, since the next test waits for a start."""
    import multiprocessing
    import os
    import signal

    adapter = version()
    await vllm_engine.dock(adapter)
    body: JSON = {"prompt": "x", "max_tokens": 480, "ignore_eos": True, "stream": True}
    streams = [await vllm_engine.complete(body, whom, "death") for whom in (None, adapter)]
    (child,) = (p for p in multiprocessing.active_children() if p.name == "EngineCore")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    for stream in streams:
        assert not isinstance(stream, dict)
        with pytest.raises(EngineDead):
            await asyncio.wait_for(drained(stream), 5)
    async with asyncio.timeout(2):
        while vllm_engine.alive():  # noqa: ASYNC110 - a process that dies sets no event
            await asyncio.sleep(0.01)
    for call in (vllm_engine.docked(), vllm_engine.dock(version()), vllm_engine.undock(adapter)):
        with pytest.raises(EngineDead):
            await call


async def test_started_again_it_serves_until_it_is_stopped(
    vllm_engine: "VllmEngine", version: Version
) -> None:
    import multiprocessing

    adapter = version()
    await vllm_engine.dock(adapter)
    assert (await greedy(vllm_engine, "x", adapter)).ids
    body: JSON = {"prompt": "x", "max_tokens": 480, "ignore_eos": True, "stream": True}
    stream = await vllm_engine.complete(body, None, "stop")
    assert not isinstance(stream, dict)
    stopping = asyncio.create_task(vllm_engine.stop())
    with pytest.raises(EngineDead):
        await asyncio.wait_for(drained(stream), 5)
    await stopping
    assert not vllm_engine.alive()
    assert not [p for p in multiprocessing.active_children() if p.name == "EngineCore"]
