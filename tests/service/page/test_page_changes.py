"""The adapters in a real browser: what is shown of them, and each change confirmed, made or refused."""

import pytest

from service.page.files import page_files
from tests.service.memory_store import MemoryStore
from tests.service.page.browsing import Visit
from tests.service.page.docked import HOSTILE, engine_of
from tests.service.running import Running

pytestmark = pytest.mark.browser


async def row(visit: Visit, name: str, version: int) -> str:
    adapter = visit.page.locator(f'[data-adapter="{name}"]')
    found = adapter.locator("tbody tr:not(.details)").filter(
        has=visit.page.locator("strong", has_text=str(version))
    )
    return await found.inner_text()


async def test_versions_show_alias_state_evaluation_lineage_and_data(visit: Visit) -> None:
    await visit.says("#view-adapters", "right 0.915, executed 1")
    second, first = await row(visit, "pseudocode", 2), await row(visit, "pseudocode", 1)
    for text in ("stable", "in the engine", "right 0.915", "pseudocode@1", "3,120 rows"):
        assert text in second
    assert "from the base" in first
    assert "training loss 0.0039" in first
    await visit.page.click("#details-pseudocode-3")
    for text in (
        "pseudocode@3 ← pseudocode@2 ← pseudocode@1 ← smollm2-135m-instruct",
        "rows-3.csv",
        "Apache-2.0",
        "374 s",
        "python -m training.evaluate",
    ):
        await visit.says("tr.details", text)
    await visit.says(".moves", "stable: 1 → 2 ann: twice the rows")


async def test_a_promotion_says_what_changes_and_changes_that(
    visit: Visit, app: Running, store: MemoryStore
) -> None:
    await visit.page.click("#promote-pseudocode-3")
    await visit.says("#confirm", "pseudocode@stable serves version 2 now and will serve version 3.")
    await visit.says("#confirm", "Version 3 is loaded and probed first.")
    await visit.says("#confirm", "Version 2 finishes its requests (0 now) and leaves the engine.")
    await visit.page.fill("#change-why", "better")
    await visit.confirm()
    await visit.says("#said", "pseudocode@stable serves version 3; before, it was 2.")
    await visit.says('[data-adapter="pseudocode"] .alias', "stable → 3")
    assert app.parts.reconciler.serving["pseudocode"] == {"stable": 3}
    assert store.history("pseudocode")[-1].why == "better"


async def test_another_alias_can_be_made_and_the_same_target_cannot(visit: Visit) -> None:
    await visit.page.click("#promote-pseudocode-2")
    await visit.says("#confirm", "Nothing would change.")
    assert await visit.page.is_disabled("#confirm button[value=do]")
    await visit.page.fill("#change-alias", "candidate")
    await visit.says("#confirm", "pseudocode@candidate is new and will serve version 2.")
    await visit.confirm()
    await visit.says("#said", "pseudocode@candidate serves version 2; it is new.")


async def test_a_rollback_says_where_it_goes_and_goes_there(visit: Visit, app: Running) -> None:
    await visit.page.click("#rollback-pseudocode-stable")
    await visit.says("#confirm", "pseudocode@stable serves version 2 now and will serve version 1.")
    await visit.confirm()
    await visit.says("#said", "pseudocode@stable serves version 1; before, it was 2.")
    assert app.parts.reconciler.serving["pseudocode"] == {"stable": 1}
    assert await visit.page.locator("#rollback-novel-stable").count() == 0


async def test_unloading_can_be_cancelled_and_confirmed(visit: Visit, app: Running) -> None:
    await visit.page.click("#load-novel-2")
    await visit.says("#confirm", "No alias moves.")
    await visit.confirm()
    await visit.says("#said", "novel@2 is in the engine.")
    await visit.page.click("#unload-novel-2")
    await visit.says("#confirm", "novel@2 finishes its requests (0 now) and leaves the engine")
    await visit.page.click("#confirm .cancel")
    assert {str(key) for key in app.parts.docks.berths} >= {"novel@2"}
    await visit.page.click("#unload-novel-2")
    await visit.confirm()
    await visit.says("#said", "novel@2 is unloaded once its requests have ended.")
    assert "novel@2" not in {str(key) for key in app.parts.docks.berths}
    assert await visit.page.locator("#unload-novel-1").count() == 0


async def test_a_version_can_be_pinned_and_let_go(visit: Visit, app: Running) -> None:
    await visit.page.click("#pin-novel-2")
    await visit.confirm()
    await visit.says("#said", "novel@2 is pinned.")
    await visit.says("#view-adapters .state", "in the engine · pinned")
    await visit.page.click("#unpin-novel-2")
    await visit.confirm()
    await visit.says("#said", "novel@2 is no longer pinned.")
    assert not app.parts.reconciler.steering.pins


async def test_a_version_that_cannot_be_loaded_changes_nothing(visit: Visit, app: Running) -> None:
    engine_of(app).faults.failing_docks.add("pseudocode@3")
    await visit.page.click("#promote-pseudocode-3")
    await visit.confirm()
    await visit.says("#confirm .notice", "Refused; everything stays as it was.")
    await visit.says("#confirm .notice", "pseudocode@3 could not be loaded")
    assert app.parts.reconciler.serving["pseudocode"] == {"stable": 2}
    await visit.page.keyboard.press("Escape")
    await visit.says('[data-adapter="pseudocode"] .notice', "pseudocode@3")


async def test_what_came_of_a_change_is_said_though_its_dialog_was_closed(
    visit: Visit, app: Running
) -> None:
    engine_of(app).faults.dock_delay_s = 0.5
    await visit.page.click("#promote-pseudocode-3")
    await visit.confirm()
    await visit.says("#confirm .notice", "Working.")
    await visit.page.click("#confirm .cancel")
    await visit.page.click("#promote-novel-2")
    await visit.says("#confirm h2", "Promote novel@2")
    await visit.page.wait_for_selector("#said:not([hidden])", state="attached")
    assert app.parts.reconciler.serving["pseudocode"] == {"stable": 3}
    assert await visit.page.locator("#confirm h2").inner_text() == "Promote novel@2"


async def test_what_another_changes_is_shown_without_a_reload(visit: Visit, app: Running) -> None:
    await visit.says('[data-adapter="pseudocode"] .alias', "stable → 2")
    (await app.promote("pseudocode", 1)).raise_for_status()
    await visit.says('[data-adapter="pseudocode"] .alias', "stable → 1")
    assert await visit.page.locator("#said:visible").count() == 0


async def test_hostile_names_reasons_and_figures_stay_text(
    visit: Visit, store: MemoryStore
) -> None:
    store.add(HOSTILE, 1)
    store.add(HOSTILE, 2)
    store.set_alias(HOSTILE, HOSTILE, 1, expected=None, who=HOSTILE, why=HOSTILE)
    store.evaluated["novel", 1] = [
        store.evaluated["pseudocode", 2][0].model_copy(update={"results": {HOSTILE: HOSTILE}})
    ]
    await visit.page.reload()
    await visit.says("#view-adapters h3", HOSTILE)
    await visit.page.click("#details-novel-1")
    await visit.says("tr.details", HOSTILE)
    await visit.page.locator('[data-adapter*="onerror"] button[aria-label^="Promote"]').last.click()
    await visit.says("#confirm h2", HOSTILE)
    assert await visit.page.locator("img").count() == 0
    assert await visit.page.evaluate("window.broken") is None


async def test_the_browser_itself_refuses_markup_and_foreign_code(visit: Visit) -> None:
    tried = await visit.page.evaluate(
        """() => {
          try { document.body.innerHTML = "<b>x</b>"; } catch (error) { return error.name; }
          return "made";
        }"""
    )
    assert tried == "TypeError"
    assert visit.errors, "the policy is reported"
    visit.errors.clear()


async def test_the_first_load_is_small_and_quick(visit: Visit) -> None:
    sizes, started = [], []
    for _ in range(3):
        await visit.page.reload()
        await visit.page.wait_for_selector("html[data-started]")
        sizes.append(
            await visit.page.evaluate(
                "performance.getEntriesByType('resource').concat("
                "performance.getEntriesByType('navigation'))"
                ".filter((one) => !/v1|admin|health/.test(one.name))"
                ".reduce((sum, one) => sum + one.decodedBodySize, 0)"
            )
        )
        started.append(
            await visit.page.evaluate("performance.getEntriesByName('started')[0].startTime")
        )
    everything = sum(len(found.content) for found in page_files().values())
    assert max(sizes) <= everything <= 100_000
    # The best of three: another process may have the machine at any one moment.
    assert min(started) <= 1000
