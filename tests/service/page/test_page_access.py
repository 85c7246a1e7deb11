"""For everybody: keyboard alone, 360 pixels, dark, Chinese, and axe-core's rules in all of them."""

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.service.page.browsing import AXE, Visit, visiting
from tests.service.page.docked import QUESTION
from tests.service.running import Running

pytestmark = pytest.mark.browser

VIEWS = {
    "adapters": "[id='details-pseudocode-2']",
    "compare": "option[value='novel@1']",
    "solve": "#solve-model option",
    "live": "#view-live tbody tr",
    "events": "#view-events li",
}


async def open_view(visit: Visit, name: str) -> None:
    """Look at a view with something in it."""
    await visit.page.click(f"#views a[href='#{name}']")
    await visit.page.wait_for_selector(VIEWS[name], state="attached")
    if name == "adapters":
        await visit.page.click("#details-pseudocode-2")
    elif name == "compare":
        await visit.page.select_option("#compare-model-0", "novel@1")
        await visit.page.fill("#compare-prompt", "A-long-word-without-any-blank-in-it" * 5)
        await visit.page.click("#compare-ask")
        await visit.page.wait_for_selector("mark")
    elif name == "solve":
        await visit.page.fill("#solve-question", QUESTION)
        await visit.page.click("#solve-ask")
        await visit.page.wait_for_selector(".verdict")


async def offences(visit: Visit) -> list[str]:
    """What axe-core finds that is serious or critical."""
    if not await visit.page.evaluate("'axe' in window"):
        await visit.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Mapping[str, Any] = await visit.page.evaluate("axe.run(document)")
    # Of the rules for a page like this, most apply; none of them would mean that nothing was looked at.
    assert len(found["passes"]) > 15
    return [
        f"{one['id']}: {[node['html'] for node in one['nodes'][:3]]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(
    ("language", "dark", "width"), [("en", False, 1280), ("zh", True, 360)], ids=["wide", "narrow"]
)
async def test_every_view_is_accessible_and_fits(
    browser: Browser, app: Running, language: str, dark: bool, width: int
) -> None:
    if not AXE.is_file():
        pytest.skip("there is no axe-core; scripts/browser brings it")
    url = f"{app.client.base_url}/?lang={language}"
    async with visiting(browser, url, width=width, dark=dark, language=language) as visit:
        for name in VIEWS:
            await open_view(visit, name)
            assert not await visit.is_too_wide(), name
            assert await offences(visit) == [], name
        await visit.page.click("#open-keys")
        assert await offences(visit) == []
        await visit.page.keyboard.press("Escape")
        await visit.page.click("#views a[href='#adapters']")
        await visit.page.click("#promote-pseudocode-3")
        await visit.page.wait_for_selector("#confirm[open]")
        assert await offences(visit) == []
        assert not await visit.is_too_wide()
        background = await visit.page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        assert background == ("rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")


async def test_the_language_is_switched_without_losing_what_is_shown(visit: Visit) -> None:
    await open_view(visit, "solve")
    await visit.page.click("#language")
    await visit.says(".verdict h3", "判定")
    assert await visit.page.get_attribute("html", "lang") == "zh-Hans"
    assert await visit.page.input_value("#solve-question") == QUESTION
    assert await visit.page.title() == "伪代码 · Loradock"
    await visit.page.click("#views a[href='#adapters']")
    await visit.says("#view-adapters", "上线…")
    await visit.page.reload()
    await visit.says("#views", "适配器")
    await visit.page.click("#language")
    await visit.says("#views", "Adapters")


async def test_a_browser_in_chinese_gets_chinese(browser: Browser, app: Running) -> None:
    async with visiting(browser, str(app.client.base_url), language="zh") as visit:
        await visit.says("#views", "适配器")


async def press_until(visit: Visit, wanted: str, key: str = "Tab") -> None:
    """Move the focus by a key until it is on an element; only what people can see takes it."""
    for _ in range(60):
        await visit.page.keyboard.press(key)
        here = await visit.page.evaluate(
            "[document.activeElement.id, document.activeElement.checkVisibility()]"
        )
        assert here[1], f"the focus is on something hidden: {here[0]}"
        if here[0] == wanted:
            return
    raise AssertionError(f"{wanted} cannot be reached by {key}")


async def test_a_promotion_needs_no_mouse(visit: Visit, app: Running) -> None:
    keyboard = visit.page.keyboard
    await visit.page.wait_for_selector("#rollback-pseudocode-stable")
    await press_until(visit, "skip")
    await keyboard.press("Enter")
    await press_until(visit, "promote-pseudocode-3")
    await keyboard.press("Enter")
    await visit.page.wait_for_selector("#confirm[open]")
    assert await visit.page.evaluate("document.activeElement.id") == "change-alias"
    await keyboard.press("Escape")
    await visit.page.wait_for_selector("#confirm:not([open])", state="attached")
    assert await visit.page.evaluate("document.activeElement.id") == "promote-pseudocode-3"
    assert app.parts.reconciler.serving["pseudocode"] == {"stable": 2}
    await keyboard.press("Enter")
    await visit.page.wait_for_selector("#confirm[open]")
    await keyboard.press("Enter")
    await visit.says("#said", "pseudocode@stable serves version 3")
    assert app.parts.reconciler.serving["pseudocode"] == {"stable": 3}


async def test_the_focus_survives_what_is_drawn_anew(visit: Visit, app: Running) -> None:
    await visit.page.wait_for_selector("#rollback-pseudocode-stable")
    await visit.page.focus("#pin-novel-1")
    (await app.promote("pseudocode", 1)).raise_for_status()
    await visit.says('[data-adapter="pseudocode"] .alias', "stable → 1")
    assert await visit.page.evaluate("document.activeElement.id") == "pin-novel-1"
