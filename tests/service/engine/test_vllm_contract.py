"""Every name of vLLM that we use, with what we rely on; an upgrade that breaks one fails here."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("vllm_imported")

ENGINE = Path(__file__).resolve().parents[3] / "service/engine"

# Parameters that are passed, or attributes that are read.
PARAMETERS: dict[str, set[str]] = {
    "vllm.config.StructuredOutputsConfig": {"backend"},
    "vllm.engine.arg_utils.AsyncEngineArgs": {
        "model",
        "served_model_name",
        "dtype",
        "max_model_len",
        "enforce_eager",
        "enable_lora",
        "max_loras",
        "max_cpu_loras",
        "max_lora_rank",
        "max_num_queued_reqs",
        "max_num_seqs",
        "kv_cache_memory_bytes",
        "gpu_memory_utilization",
        "load_format",
        "trust_remote_code",
        "generation_config",
        "structured_outputs_config",
        "otlp_traces_endpoint",
        "quantization",
    },
    "vllm.entrypoints.openai.chat_completion.serving.OpenAIServingChat": {
        "engine_client",
        "models",
        "response_role",
        "online_renderer",
        "request_logger",
        "chat_template",
        "chat_template_content_format",
        "trust_request_chat_template",
        "enable_auto_tools",
        "tool_parser",
        "enable_prompt_tokens_details",
    },
    "vllm.entrypoints.openai.completion.serving.OpenAIServingCompletion": {
        "engine_client",
        "models",
        "online_renderer",
        "request_logger",
        "enable_prompt_tokens_details",
    },
    "vllm.entrypoints.openai.models.serving.OpenAIServingModels": {
        "engine_client",
        "base_model_paths",
    },
    "vllm.renderers.online_renderer.OnlineRenderer": {
        "model_config",
        "renderer",
        "request_logger",
        "chat_template",
        "chat_template_content_format",
        "trust_request_chat_template",
        "enable_auto_tools",
        "tool_parser",
    },
    "vllm.entrypoints.serve.create_error_response": {"message"},
    "vllm.lora.punica_wrapper.punica_cpu.PunicaWrapperCPU": {
        "max_num_batched_tokens",
        "max_batches",
        "device",
    },
    "vllm.v1.metrics.prometheus.get_prometheus_registry": set(),
}
FIELDS: dict[str, set[str]] = {
    "vllm.entrypoints.openai.chat_completion.protocol.ChatCompletionRequest": {
        "model",
        "messages",
        "request_id",
        "stream",
        "stream_options",
        "chat_template",
        "chat_template_kwargs",
        "add_generation_prompt",
        "continue_final_message",
        "add_special_tokens",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "temperature",
        "top_p",
    },
    "vllm.entrypoints.openai.completion.protocol.CompletionRequest": {
        "model",
        "prompt",
        "request_id",
        "stream",
        "stream_options",
        "structured_outputs",
    },
    "vllm.entrypoints.openai.models.protocol.BaseModelPath": {"name", "model_path"},
    "vllm.entrypoints.serve.engine.protocol.ErrorInfo": {"message", "code", "param"},
    "vllm.entrypoints.serve.engine.protocol.ErrorResponse": {"error"},
    "vllm.lora.request.LoRARequest": {"lora_name", "lora_int_id", "lora_path", "load_inplace"},
    "vllm.lora.layers.LoRAMapping": {"index_mapping", "prompt_mapping", "is_prefill"},
}
METHODS: dict[str, set[str]] = {
    "vllm.tool_parsers.ToolParserManager": {"list_registered"},
    "vllm.v1.engine.async_llm.AsyncLLM": {
        "from_engine_args",
        "get_supported_tasks",
        "add_lora",
        "remove_lora",
        "list_loras",
        "errored",
        "shutdown",
    },
    "vllm.ModelRegistry": {"register_model"},
    # Classes that ours derive from, and what ours read of their argument.
    "vllm.config.VllmConfig": {"compute_hash"},
    "vllm.model_executor.models.falcon.FalconForCausalLM": {"packed_modules_mapping"},
    "vllm.model_executor.models.gpt2.GPT2LMHeadModel": {"load_weights"},
    "vllm.model_executor.models.interfaces.SupportsLoRA": {"supports_lora", "embedding_modules"},
    "vllm.model_executor.models.transformers.TransformersForCausalLM": {"embedding_modules"},
    "vllm.exceptions.VLLMError": set(),
    "vllm.v1.engine.exceptions.EngineDeadError": set(),
    "vllm.platforms.current_platform": {
        "is_cpu",
        "is_cuda",
        "get_punica_wrapper",
        "device_id_to_physical_device_id",
        "get_device_name",
        "has_device_capability",
    },
    "vllm.third_party.pynvml": {
        "nvmlInit",
        "nvmlShutdown",
        "nvmlDeviceGetHandleByIndex",
        "nvmlDeviceGetMemoryInfo",
    },
}


def imported() -> set[str]:
    names = set()
    for path in ENGINE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vllm"):
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("vllm") for alias in node.names)
    return names


def resolved(name: str) -> object:
    module, attribute = name.rsplit(".", 1)
    holder = importlib.import_module(module)
    if hasattr(holder, attribute):
        return getattr(holder, attribute)
    return importlib.import_module(name)


def parameters(called: object) -> set[str]:
    assert callable(called)
    return set(inspect.signature(called).parameters)


def test_every_name_that_is_imported_is_in_a_table_and_no_other() -> None:
    assert imported() == PARAMETERS.keys() | FIELDS.keys() | METHODS.keys()


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_what_is_called_takes_what_we_pass(name: str) -> None:
    assert PARAMETERS[name] <= parameters(resolved(name))


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_what_is_filled_in_has_the_fields(name: str) -> None:
    kind = resolved(name)
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__annotations__", {})
    assert FIELDS[name] <= set(fields)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_what_is_used_has_the_methods(name: str) -> None:
    missing = {method for method in METHODS[name] if not hasattr(resolved(name), method)}
    assert not missing


def test_methods_that_we_call_take_what_we_pass() -> None:
    from vllm.entrypoints.openai.chat_completion.serving import OpenAIServingChat
    from vllm.entrypoints.openai.completion.serving import OpenAIServingCompletion
    from vllm.v1.engine.async_llm import AsyncLLM
    from vllm.v1.engine.output_processor import OutputProcessor

    assert "request" in parameters(OpenAIServingChat.create_chat_completion)
    assert "request" in parameters(OpenAIServingCompletion.create_completion)
    assert "lora_request" in parameters(AsyncLLM.add_lora)
    assert "lora_id" in parameters(AsyncLLM.remove_lora)
    assert len(parameters(OutputProcessor.propagate_error)) == 2
    assert inspect.iscoroutinefunction(AsyncLLM.add_lora)


def test_our_lora_class_takes_what_vllms_takes() -> None:
    from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

    from service.engine.cpu_lora import GroupedPunicaWrapper

    for method in ("update_metadata", "add_lora_linear", "add_lora_embedding", "add_lora_logits"):
        theirs = inspect.signature(getattr(PunicaWrapperCPU, method)).parameters
        ours = inspect.signature(getattr(GroupedPunicaWrapper, method)).parameters
        assert list(ours) == list(theirs), method
        assert [p.kind for p in ours.values()] == [p.kind for p in theirs.values()], method


def test_the_words_that_a_prompt_is_too_long_are_those_we_know() -> None:
    from vllm.renderers import params

    from service.engine.answering import TOO_LONG

    source = Path(str(params.__file__)).read_text(encoding="utf-8")
    assert all(f'parameter="{word}"' in source for word in TOO_LONG)
