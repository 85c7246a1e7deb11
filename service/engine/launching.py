"""Starts vLLM's engine with the settings of a profile. Blocking: it takes tens of seconds."""

import os
from collections.abc import Mapping
from pathlib import Path

from vllm.config import StructuredOutputsConfig
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.v1.engine.async_llm import AsyncLLM

from service.engine.errors import EngineStartFailed
from service.engine.plugin import DIE_WITH_PARENT
from service.engine.profile import EngineSettings

PLUGIN = "loradock"
# Bounds what the engine holds in memory whatever is thrown at it; the service queues before that.
MAX_ENGINE_REQUESTS = 4096


def prepare_environment(settings: EngineSettings) -> None:
    """Set what vLLM and its libraries read from the environment, here and in the child process.

    Everything is read from local directories, nothing is reported, nothing but our plugin and
    what the user names is loaded, and adapters come by `dock` alone.
    """
    os.environ.update(
        {
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "0",
            # Calls of tools are held to a form that only another grammar backend knows.
            "VLLM_ENFORCE_STRICT_TOOL_CALLING": "0",
            # A fork of a process with threads may deadlock.
            "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
            "VLLM_PLUGINS": with_our_plugin(os.environ),
            DIE_WITH_PARENT: "1",
        }
    )
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    if settings.device == "cpu":
        os.environ.update(
            {
                # With 1, vLLM computes in a grandchild, only so as to bind its threads to cores
                # one by one: that takes another half minute to start, and is no faster.
                "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
                "OMP_NUM_THREADS": str(len(settings.cores)),
                # Compiles single functions at their first use, which takes half a minute and a
                # C++ compiler, and kills the engine where there is none.
                "TORCH_COMPILE_DISABLE": "1",
            }
        )
        # Of this thread, and so of the process it starts.
        os.sched_setaffinity(0, settings.cores)


def with_our_plugin(environment: Mapping[str, str]) -> str:
    """The list of plugins to load: what the user names there, and ours."""
    named = [name for name in environment.get("VLLM_PLUGINS", "").split(",") if name]
    return ",".join(dict.fromkeys([*named, PLUGIN]))


def engine_args(
    base_dir: Path, base_model: str, settings: EngineSettings, traces_url: str | None = None
) -> AsyncEngineArgs:
    """Translate a profile's settings; what is None stays vLLM's own default."""
    chosen = {
        "max_num_seqs": settings.max_sequences,
        "kv_cache_memory_bytes": settings.kv_cache_bytes,
        "gpu_memory_utilization": settings.memory_fraction,
        "otlp_traces_endpoint": traces_url,
        # Each row of a weight with its own scale; vLLM makes them while it reads the 16-bit ones.
        "quantization": "fp8_per_channel" if settings.quantise == "fp8" else None,
    }
    return AsyncEngineArgs(
        model=str(base_dir),
        served_model_name=base_model,
        dtype=settings.dtype,
        max_model_len=settings.context_tokens,
        enforce_eager=settings.eager,
        enable_lora=True,
        max_loras=settings.max_active,
        max_cpu_loras=settings.max_docked,
        max_lora_rank=settings.max_rank,
        max_num_queued_reqs=MAX_ENGINE_REQUESTS,
        # Never pickled weights, never code from a model's directory.
        load_format="safetensors",
        trust_remote_code=False,
        # The base's repetition penalty and the like were not trained into an adapter.
        generation_config="vllm",
        # Takes the grammars of `pseudocode` as they are.
        structured_outputs_config=StructuredOutputsConfig(backend="guidance"),
        **{name: value for name, value in chosen.items() if value is not None},
    )


def start(
    base_dir: Path, base_model: str, settings: EngineSettings, traces_url: str | None = None
) -> AsyncLLM:
    """Start the engine's processes and load the base model.

    The thread that calls this must live as long as the engine, which dies with it.

    Raises:
        EngineStartFailed: vLLM refused the settings or the base model, or its process died.
    """
    prepare_environment(settings)
    if traces_url is not None:
        # vLLM's own default is gRPC, a service without a name, and ten seconds for every batch.
        os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
        os.environ.setdefault("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "5")
        os.environ.setdefault("OTEL_SERVICE_NAME", "loradock")
    try:
        return AsyncLLM.from_engine_args(engine_args(base_dir, base_model, settings, traces_url))
    except Exception as error:
        raise EngineStartFailed(
            f"vLLM did not start on {base_dir}: {error}. Expected a base model that vLLM can serve "
            f"with {settings}. The root cause is further up in the log; correct the setting it "
            "names, or choose another base model."
        ) from error
