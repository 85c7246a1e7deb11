"""The fake engine's page of metrics: the series of vLLM's that alerts, dashboards and routers read.

That vLLM has them under these names and labels is tested with the real engine.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, generate_latest

_LORA_LABELS = ("max_lora", "waiting_lora_adapters", "running_lora_adapters")


def page(
    base_model: str,
    *,
    running: int,
    kv_cache_ratio: float,
    max_slots: int,
    running_adapters: Iterable[str],
) -> str:
    """The text of the page.

    Args:
        base_model: Label of all series.
        running: Requests under way; none ever waits inside the fake.
        kv_cache_ratio: How full the KV cache is, 0 to 1.
        max_slots: Adapters computed at once.
        running_adapters: Names of those that requests use.
    """
    registry = CollectorRegistry()
    values = {
        "num_requests_running": ("Number of requests in model execution batches.", running),
        "num_requests_waiting": ("Number of requests waiting to be processed.", 0),
        "kv_cache_usage_perc": ("KV-cache usage. 1 means 100 percent usage.", kv_cache_ratio),
    }
    for name, (text, value) in values.items():
        gauge = Gauge(f"vllm:{name}", text, ("model_name", "engine"), registry=registry)
        gauge.labels(base_model, "0").set(value)
    info = Gauge(
        "vllm:lora_requests_info",
        "Running stats on lora requests.",
        _LORA_LABELS,
        registry=registry,
    )
    info.labels(str(max_slots), "", ",".join(running_adapters)).set_to_current_time()
    return generate_latest(registry).decode()
