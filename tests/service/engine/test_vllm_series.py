"""What alerts, dashboards and the Gateway API inference extension read of vLLM, vLLM has.

The extension's contract: https://github.com/kubernetes-sigs/gateway-api-inference-extension,
docs/proposals/003-model-server-protocol.
"""

from collections.abc import Callable

from prometheus_client.parser import text_string_to_metric_families

from service.engine.protocol import JSON, DockedAdapter, Engine

READ = {
    "vllm:num_requests_running": {"model_name", "engine"},
    "vllm:num_requests_waiting": {"model_name", "engine"},
    "vllm:kv_cache_usage_perc": {"model_name", "engine"},
    "vllm:lora_requests_info": {"max_lora", "running_lora_adapters", "waiting_lora_adapters"},
}


def labels(engine: Engine) -> dict[str, list[dict[str, str]]]:
    """The labels of every series that is read."""
    families = text_string_to_metric_families(engine.metrics_text())
    return {
        family.name: [sample.labels for sample in family.samples]
        for family in families
        if family.name in READ
    }


async def _names_running(engine: Engine, adapter: DockedAdapter) -> set[str]:
    """The adapters that the page has named as running by the time one has answered."""
    body: JSON = {"prompt": "a", "max_tokens": 40, "stream": True, "ignore_eos": True}
    stream = await engine.complete(body, adapter, "watched")
    assert not isinstance(stream, dict)
    named: set[str] = set()
    async for _ in stream:
        for sample in labels(engine).get("vllm:lora_requests_info", []):
            named |= set(sample["running_lora_adapters"].split(","))
    return named - {""}


async def test_both_engines_show_the_series_that_others_read(
    engine: Engine, version: Callable[[str], DockedAdapter]
) -> None:
    adapter = version("alpha")
    await engine.dock(adapter)
    assert adapter.name in await _names_running(engine, adapter)
    found = labels(engine)
    assert found.keys() == READ.keys()
    for name, samples in found.items():
        assert all(sample.keys() == READ[name] for sample in samples), name
    await engine.undock(adapter)
