"""What the page says when something is missing: keys, adapters, traffic, the engine, the server."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.service.memory_store import MemoryStore
from tests.service.page.browsing import Visit, visiting
from tests.service.page.docked import (
    ADMIN_KEY,
    API_KEY,
    KEYS,
    engine_of,
    make_engine,
    make_store,
)
from tests.service.running import Running, listening, until

pytestmark = pytest.mark.browser


def refusals(app: Running) -> int:
    return sum(
        event.count for event in app.parts.events.after(0, 1000) if event.kind == "key_refused"
    )


async def test_keys_are_asked_for_checked_and_kept_in_memory_only(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        listening(make_engine(), make_store(tmp_path), KEYS) as app,
        visiting(browser, str(app.client.base_url)) as visit,
    ):
        await visit.says("#view-adapters .notice", "This needs an admin key.")
        await visit.says("#view-adapters .notice", "This needs an API key.")
        before = refusals(app)
        await visit.page.wait_for_timeout(3500)
        assert refusals(app) == before, "a refused question is not asked again and again"

        await visit.enter_keys(api=API_KEY, admin="administer-key-002")
        await visit.says("#view-adapters .notice", "The admin key was refused.")
        await visit.says("#view-adapters .alias", "stable → 2")
        assert await visit.page.locator("[id^=promote-]").count() == 0
        await visit.page.click("#views a[href='#live']")
        await visit.says("#view-live", "pseudocode@2")
        await visit.page.click("#views a[href='#adapters']")

        await visit.enter_keys(admin=ADMIN_KEY)
        await visit.page.wait_for_selector("#promote-pseudocode-3")
        await visit.page.click("#promote-pseudocode-3")
        await visit.confirm()
        await visit.says("#said", "serves version 3")
        await visit.page.click("#views a[href='#live']")
        await visit.says("#view-live", "pseudocode@3")

        kept = await visit.page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href,"
            " [...document.querySelectorAll('input')].map((input) => input.value)])"
        )
        assert API_KEY not in kept
        assert ADMIN_KEY not in kept
        await visit.page.reload()
        await visit.says("#view-live .notice", "This needs an API key.")


async def test_administration_on_its_own_port_is_pointed_to(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        listening(make_engine(), make_store(tmp_path), admin_port=1) as app,
        visiting(browser, str(app.client.base_url)) as visit,
    ):
        await visit.says("#view-adapters .notice", "Administration has a port of its own")
        await visit.says("#view-adapters .alias", "stable → 2")
        await visit.page.click("#views a[href='#events']")
        await visit.says("#view-events .notice", "Administration has a port of its own")
        await visit.page.click("#views a[href='#live']")
        await visit.says("#view-live", "No requests in the last minute.")


async def test_an_empty_store_says_how_to_fill_it(browser: Browser, tmp_path: Path) -> None:
    async with (
        listening(make_engine(), MemoryStore(tmp_path)) as app,
        visiting(browser, str(app.client.base_url)) as visit,
    ):
        await visit.says("#view-adapters .notice", "The store is empty")
        await visit.says("#view-adapters .notice code", "python -m training.sft")
        await visit.page.click("#views a[href='#compare']")
        await visit.says("#view-compare .notice", "the base answers alone")
        await visit.page.fill("#compare-prompt", "Hello")
        await visit.page.click("#compare-ask")
        await visit.says("#answers", "She has twelve pens")
        await visit.page.click("#views a[href='#solve']")
        await visit.says("#view-solve .notice", "no adapter that writes programs")
        await visit.page.click("#views a[href='#events']")
        await visit.says("#view-events .notice", "Nothing has happened")


async def test_an_engine_that_is_down_is_said(visit: Visit, app: Running) -> None:
    await visit.says("#readiness", "Ready. smollm2-135m-instruct")
    engine = engine_of(app)
    engine.faults.start_fails = True
    engine.kill()
    await visit.says("#readiness", "Not ready. The server is not ready: waiting for the engine")
    await visit.page.click("#promote-pseudocode-3")
    await visit.confirm()
    await visit.says("#confirm .notice", "The engine is starting or restarting.")
    await visit.page.click("#confirm .cancel")
    await visit.page.click("#views a[href='#live']")
    await visit.says("#view-live .notice", "The engine is starting or restarting.")


async def test_a_server_that_is_gone_and_an_adapter_that_is_gone_are_said(
    browser: Browser, tmp_path: Path
) -> None:
    store = make_store(tmp_path)
    async with listening(make_engine(), store) as app:
        url = str(app.client.base_url)
        async with visiting(browser, f"{url}/#compare") as visit:
            await visit.page.wait_for_selector("option[value='notes']", state="attached")
            await visit.page.select_option("#compare-model-0", "notes")
            await visit.page.fill("#compare-prompt", "Hello")
            store.remove("notes")
            await until(lambda: "notes" not in app.parts.reconciler.catalogue.reading.entries)
            await visit.page.click("#compare-ask")
            await visit.says("#answers .notice", "no such adapter or version any more")
            await visit.page.route("**/v1/**", lambda route: route.abort())
            await visit.page.click("#compare-ask")
            await visit.says("#answers .notice", "The server does not answer.")


async def test_events_go_on_from_the_last_one_seen(visit: Visit, app: Running) -> None:
    await visit.page.click("#views a[href='#events']")
    await visit.says("#view-events li", "loaded")
    seen = app.parts.events.after(0, 1000)[-1].number
    await visit.says("#view-events", f"Up to event {seen}.")
    (await app.promote("novel", 2)).raise_for_status()
    await visit.says("#view-events li >> nth=0", "unloaded")
    await visit.says("#view-events li", "from 1 to 2")
    for _ in range(3):
        app.parts.events.note("key_refused", "admin", "no key")
    await visit.says("#view-events li >> nth=0", "key refused")
    await visit.says("#view-events li >> nth=0", "×3")
    last = app.parts.events.after(0, 1000)[-1].number
    await visit.says("#view-events", f"Up to event {last}.")


async def test_the_last_minute_of_each_adapter_is_shown(visit: Visit, app: Running) -> None:
    await visit.page.click("#views a[href='#live']")
    await visit.says("#view-live .notice", "No requests in the last minute.")
    for _ in range(5):
        assert (await app.chat("novel", stream=True)).status_code == 200
    await visit.page.wait_for_selector("#view-live .notice", state="detached")
    row = visit.page.locator("#view-live tbody tr", has_text="novel@1")
    cells = [cell.strip() for cell in (await row.inner_text()).split("\t")]
    assert cells[9:] == ["5", "0"]
    assert float(cells[2]) > 0
    for seconds in (cells[3], cells[4], cells[5], cells[8]):
        assert re.fullmatch(r"[\d.]+ m?s", seconds)


async def test_quantiles_differences_and_labels_are_computed_right(visit: Visit) -> None:
    found = await visit.page.evaluate(
        """async () => {
          const { parse, quantile } = await import("./page/exposition.js");
          const { differences, words } = await import("./page/diff.js");
          const at = (a, b, c) => parse(`loradock_x_seconds_bucket{adapter="q\\\\"\\\\\\\\",le="0.1"} ${a}
loradock_x_seconds_bucket{adapter="q\\\\"\\\\\\\\",le="1.0"} ${b}
loradock_x_seconds_bucket{adapter="q\\\\"\\\\\\\\",le="+Inf"} ${c}`);
          const of = { adapter: 'q"\\\\' };
          return [
            [0.25, 0.75, 1].map((q) => quantile(at(1, 1, 1), at(3, 5, 5), "loradock_x_seconds", of, q)),
            quantile(at(3, 5, 5), at(3, 5, 5), "loradock_x_seconds", of, 0.5),
            differences("a b c d", "a x c d e").runs.map((run) => [run.text, run.same]),
            words("小明 has 12支笔 ").length,
          ];
        }"""
    )
    assert found[0] == pytest.approx([0.05, 0.55, 1.0])
    assert found[1] is None
    assert found[2] == [["a", True], [" x", False], [" c d", True], [" e", False]]
    assert found[3] == 7
