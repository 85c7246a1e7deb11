"""`python -m tests.service.page.screenshots [DIRECTORY]`: the pictures of `docs/page.md`.

The real page over the fake engine, so that they are the same everywhere; the texts are made up.
"""

import asyncio
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

from tests.service.page.browsing import browsing, visiting
from tests.service.page.docked import QUESTION, make_engine, make_store
from tests.service.running import Running, listening

ROOT = Path(__file__).resolve().parents[3]


async def take(into: Path) -> None:
    """Write the four pictures."""
    with tempfile.TemporaryDirectory() as store:
        async with listening(make_engine(), make_store(Path(store))) as app, browsing() as browser:
            url = str(app.client.base_url)
            await _adapters(app)
            async with visiting(browser, url) as visit:
                await visit.page.click("#details-pseudocode-2")
                await visit.says("#view-adapters", "Data report")
                await _save(visit.page, into / "page-adapters.png", 800)
            async with visiting(browser, f"{url}/#compare") as visit:
                await visit.page.select_option("#compare-model-0", "novel@1")
                await visit.page.select_option("#compare-model-1", "novel@2")
                await visit.page.fill("#compare-prompt", QUESTION)
                await visit.page.click("#compare-ask")
                await visit.says("#answers", "words are as in the first")
                await _save(visit.page, into / "page-compare.png", 520)
            async with visiting(browser, f"{url}/?lang=zh#solve", dark=True) as visit:
                await visit.page.fill(
                    "#solve-question",
                    "小明有12支笔，丢了5支，又买了3支。他现在有几支笔？",
                )
                await visit.page.click("#solve-ask")
                await visit.says("#solution", "判定")
                await _save(visit.page, into / "page-solve-zh-dark.png", 620)
            async with visiting(browser, url, width=360) as visit:
                await visit.says("#view-adapters", "Promote…")
                await _save(visit.page, into / "page-360px.png", 800)


async def _save(page: Page, path: Path, height: int) -> None:
    await page.mouse.move(0, 0)
    picture = Image.open(io.BytesIO(await page.screenshot()))
    shown = picture.crop((0, 0, picture.width, height)).convert("RGB")
    # A page of few colours: a palette keeps each picture at a few tens of kilobytes.
    shown.quantize(256, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)


async def _adapters(app: Running) -> None:
    await app.client.post("/admin/adapters/pseudocode/load", json={"version": 3})
    canary = {"version": 2, "percent": 10}
    (await app.client.post("/admin/adapters/novel/canaries", json=canary)).raise_for_status()


if __name__ == "__main__":
    directory = Path(sys.argv[1]) if sys.argv[1:] else ROOT / "docs" / "images"
    directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(take(directory))
