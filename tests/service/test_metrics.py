"""After traffic, every series is there, under our prefix, with labels from closed sets."""

import asyncio
import re
import time

from prometheus_client.parser import text_string_to_metric_families

from service.engine.fake import FakeEngine
from service.metrics import MAX_LABELLED_VERSIONS, OTHER, Metrics
from tests.service.running import Running

PER_VERSION = {
    "loradock_requests",
    "loradock_time_to_first_token_seconds",
    "loradock_inter_token_seconds",
    "loradock_request_duration_seconds",
    "loradock_queue_seconds",
    "loradock_output_tokens_per_second",
    "loradock_prompt_tokens",
    "loradock_output_tokens",
    "loradock_requests_in_flight",
}


async def test_every_series_of_a_version_is_there_after_one_stream(app: Running) -> None:
    await app.complete("alpha", stream=True)
    await app.complete("fake-base", stream=True)
    samples = [
        (family.name, sample)
        for family in text_string_to_metric_families(await app.metrics())
        for sample in family.samples
    ]
    for adapter, version in (("alpha", "1"), ("base", "base")):
        found = {
            name
            for name, sample in samples
            if (sample.labels.get("adapter"), sample.labels.get("version")) == (adapter, version)
        }
        assert found >= PER_VERSION
    values = {
        sample.name: sample.value
        for _, sample in samples
        if sample.labels.get("adapter") == "alpha" and "le" not in sample.labels
    }
    assert values["loradock_output_tokens_total"] == 8
    assert values["loradock_prompt_tokens_total"] == 1
    assert values["loradock_inter_token_seconds_count"] == 7
    assert values["loradock_time_to_first_token_seconds_count"] == 1
    assert values["loradock_output_tokens_per_second_count"] == 1


async def test_every_name_has_our_prefix_and_a_base_unit(app: Running) -> None:
    await app.complete("alpha", stream=True)
    names = [family.name for family in text_string_to_metric_families(await app.metrics())]
    assert len(names) > 20
    # The engine's own names stand beside ours as they are.
    for name in [name for name in names if not name.startswith("vllm:")]:
        assert re.fullmatch(r"loradock_[a-z_]+", name), name
        assert not re.search(r"_(ms|milliseconds|minutes|kb|mb|percent)$", name), name


async def test_what_a_client_typed_is_never_a_label(app: Running) -> None:
    await app.complete("some-invented-model")
    await app.client.get("/some-invented-path")
    await app.client.request("BREW", "/v1/models")
    text = await app.metrics()
    assert "invented" not in text
    assert "BREW" not in text
    labels = 'adapter="none",code="404",route="createCompletion",version="none"'
    assert f"loradock_requests_total{{{labels}}} 1.0" in text


async def test_a_long_page_holds_up_nobody(app: Running) -> None:
    for number in range(MAX_LABELLED_VERSIONS):
        app.parts.metrics.completed(app.parts.metrics.served("many", str(number)), 1.0)
        app.parts.metrics.first_token(app.parts.metrics.served("many", str(number)), 1.0)
    asked_s = last_s = time.monotonic()
    gaps_s = []
    asking = asyncio.create_task(app.metrics())
    while not asking.done():
        await asyncio.sleep(0)
        gaps_s.append(time.monotonic() - last_s)
        last_s = time.monotonic()
    assert len((await asking).splitlines()) > 20 * MAX_LABELLED_VERSIONS
    assert max(gaps_s) < 0.5 * (last_s - asked_s)


async def test_refusals_are_counted_by_reason_and_by_what_was_asked_for(
    app: Running, engine: FakeEngine
) -> None:
    engine.faults.failing_docks.add("alpha@2")
    await app.complete("some-invented-model")
    await app.client.get("/some-invented-path")
    await app.complete("alpha@2")
    await app.complete("alpha@2")
    await app.complete("alpha", max_tokens=-1)
    engine.faults.overloaded = True
    await app.complete("fake-base")
    await app.complete("alpha")
    counted = re.findall(r"^loradock_refusals_total\{(.*)\} (\S+)$", await app.metrics(), re.M)
    assert dict(counted) == {
        'adapter="none",reason="model_not_found"': "1.0",
        'adapter="none",reason="not_found"': "1.0",
        'adapter="alpha",reason="adapter_unavailable"': "2.0",
        'adapter="none",reason="invalid_value"': "1.0",
        'adapter="base",reason="overloaded"': "1.0",
        'adapter="alpha",reason="overloaded"': "1.0",
    }


async def test_places_of_the_engine_stand_beside_what_lies_there(app: Running) -> None:
    text = await app.metrics()
    assert f"loradock_places {16.0}" in text
    assert f"loradock_docked_versions {len(app.parts.docks.berths)}.0" in text


async def test_the_engines_own_series_stand_on_the_same_page_unchanged(
    app: Running, engine: FakeEngine
) -> None:
    own = '# TYPE vllm:requests gauge\nvllm:requests{engine="0"} 3.0\n'
    engine.metrics_text = lambda: own  # type: ignore[method-assign]
    assert (await app.metrics()).endswith(own)


async def test_an_alias_is_told_with_the_version_it_serves(app: Running) -> None:
    line = 'loradock_alias_info{{adapter="alpha",alias="stable",version="{}"}} 1.0'
    assert line.format(1) in await app.metrics()
    await app.promote("alpha", 2)
    text = await app.metrics()
    assert line.format(2) in text
    assert line.format(1) not in text


def test_the_number_of_versions_with_series_of_their_own_is_bounded() -> None:
    metrics = Metrics()
    pairs = {metrics.served("alpha", str(number)) for number in range(2 * MAX_LABELLED_VERSIONS)}
    assert len(pairs) <= MAX_LABELLED_VERSIONS
    assert (OTHER, OTHER) in pairs


async def test_a_counter_of_failures_is_there_before_the_first_one(app: Running) -> None:
    """Prometheus sees a rise only of what it has seen before."""
    page = await app.metrics()
    for adapter in ("alpha", "beta"):
        assert f'loradock_docks_total{{adapter="{adapter}",outcome="failed"}} 0.0' in page
        assert f'loradock_alias_moves_total{{adapter="{adapter}",outcome="failed"}} 0.0' in page
