"""Chromium for the page's tests: where it is found, how it is started, and pages that note errors."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

PLACE = Path(__file__).resolve().parents[3] / ".venv" / "browser"
AXE = PLACE / "axe.min.js"
WAIT_MS = 15_000
# What the page is asked to do about a refusal is tested; that the browser notes the status is not
# an error of the page.
STATUS_NOTES = "Failed to load resource"


def chromium() -> str | None:
    """`$LORADOCK_CHROMIUM`, else `chromium` on the PATH, else what `scripts/browser` brought."""
    named = os.environ.get("LORADOCK_CHROMIUM") or shutil.which("chromium")
    bundled = PLACE / "chromium"
    return named or (str(bundled) if bundled.is_file() else None)


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """One browser, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Visit:
    """One page, with what went wrong in it."""

    page: Page
    errors: list[str] = field(default_factory=list)

    async def says(self, selector: str, text: str) -> None:
        """Wait until an element holds a text."""
        await self.page.locator(selector, has_text=text).first.wait_for()

    async def enter_keys(self, *, api: str = "", admin: str = "") -> None:
        await self.page.click("#open-keys")
        await self.page.fill("#api-key", api)
        await self.page.fill("#admin-key", admin)
        await self.page.click("#keys button[value=use]")

    async def confirm(self) -> None:
        await self.page.click("#confirm button[value=do]")

    async def is_too_wide(self) -> bool:
        wide: bool = await self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide


@contextlib.asynccontextmanager
async def visiting(
    browser: Browser, url: str, *, width: int = 1280, dark: bool = False, language: str = "en"
) -> AsyncIterator[Visit]:
    """Open the page at `url`; at the end, nothing may have gone wrong in it."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        locale="zh-CN" if language == "zh" else "en-GB",
        timezone_id="UTC",
    )
    page = await context.new_page()
    page.set_default_timeout(WAIT_MS)
    visit = Visit(page)
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on(
        "console",
        lambda message: (
            visit.errors.append(message.text)
            if message.type in ("error", "warning") and not message.text.startswith(STATUS_NOTES)
            else None
        ),
    )
    try:
        await page.goto(url)
        await page.wait_for_selector("html[data-started]")
        yield visit
        assert visit.errors == []
    finally:
        await context.close()
