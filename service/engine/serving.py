"""vLLM's OpenAI serving objects over one running engine, without its web server."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vllm.entrypoints.openai.chat_completion.serving import OpenAIServingChat
from vllm.entrypoints.openai.completion.serving import OpenAIServingCompletion
from vllm.entrypoints.openai.models.protocol import BaseModelPath
from vllm.entrypoints.openai.models.serving import OpenAIServingModels
from vllm.renderers.online_renderer import OnlineRenderer
from vllm.v1.engine.async_llm import AsyncLLM

from basemodels.tokens import plain_chat_template


@dataclass(frozen=True)
class Serving:
    """One engine and what answers with it.

    Attributes:
        models: Its `lora_requests` are the adapters that `model` may name.
    """

    llm: AsyncLLM
    models: OpenAIServingModels
    chat: OpenAIServingChat
    completion: OpenAIServingCompletion


class Tokenizer(Protocol):
    """What of a base's tokenizer decides how it is asked."""

    bos_token: str | None
    bos_token_id: int | None
    chat_template: object

    def encode(self, text: str) -> list[int]:
        """Turn a text into token ids, as for a text alone."""


def chat_template_for(tokenizer: Tokenizer) -> str | None:
    """The plain template for a base without one of its own; None leaves it to that.

    Args:
        tokenizer: Of the base.
    """
    if tokenizer.chat_template:
        return None
    bos = tokenizer.bos_token or ""
    used_to_one = bos and tokenizer.encode("x")[:1] == [tokenizer.bos_token_id]
    return plain_chat_template(bos if used_to_one else "")


def serve(llm: AsyncLLM, base_model: str, base_dir: Path, tool_parser: str | None) -> Serving:
    """Build the serving objects of a running engine.

    Args:
        llm: The engine.
        base_model: The base's id for clients.
        base_dir: Its directory.
        tool_parser: vLLM's name for how the base writes calls of tools; None: it does not.
    """
    paths = [BaseModelPath(name=base_model, model_path=str(base_dir))]
    own_template = chat_template_for(llm.renderer.get_tokenizer())
    models = OpenAIServingModels(engine_client=llm, base_model_paths=paths)
    renderer = OnlineRenderer(
        model_config=llm.model_config,
        renderer=llm.renderer,
        request_logger=None,
        chat_template=own_template,
        chat_template_content_format="auto",
        # For a constant of ours; a template in a client's body is refused before it comes here.
        trust_request_chat_template=True,
        enable_auto_tools=tool_parser is not None,
        tool_parser=tool_parser,
    )
    chat = OpenAIServingChat(
        llm,
        models,
        "assistant",
        online_renderer=renderer,
        request_logger=None,
        chat_template=own_template,
        chat_template_content_format="auto",
        trust_request_chat_template=True,
        enable_auto_tools=tool_parser is not None,
        tool_parser=tool_parser,
        enable_prompt_tokens_details=True,
    )
    completion = OpenAIServingCompletion(
        llm,
        models,
        online_renderer=renderer,
        request_logger=None,
        enable_prompt_tokens_details=True,
    )
    return Serving(llm, models, chat, completion)
