"""The built-in page over the real engine: answers side by side, and a promotion while they stream."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.clients.conftest import ADMIN_KEY, API_KEY, WORDS
from tests.clients.parrots import BASE, parroted
from tests.clients.process import Server
from tests.service.page.browsing import Visit, browsing, chromium, visiting

pytestmark = [
    pytest.mark.engine,
    pytest.mark.browser,
    pytest.mark.skipif(
        chromium() is None, reason="there is no Chromium; scripts/browser brings one"
    ),
]
# Seconds of an answer on a quiet machine, in which the promotion is made.
TOKENS = 900
PATIENCE_MS = 120_000


def promote(server: Server, version: int) -> None:
    answer = httpx.post(
        f"{server.url}/admin/adapters/alpha/promote",
        json={"version": version},
        headers={"Authorization": f"Bearer {ADMIN_KEY}"},
        timeout=60,
    )
    answer.raise_for_status()


@pytest.fixture
async def visit(real_server: Server) -> AsyncIterator[Visit]:
    """The page with both keys; alpha serves its first version before and after."""
    promote(real_server, 1)
    async with browsing() as browser, visiting(browser, real_server.url) as page:
        page.page.set_default_timeout(PATIENCE_MS)
        await page.enter_keys(api=API_KEY, admin=ADMIN_KEY)
        yield page
    promote(real_server, 1)


async def ask(visit: Visit, tokens: int) -> None:
    await visit.page.click("#views a[href='#compare']")
    await visit.page.wait_for_selector("#compare-model-0 option[value='beta']", state="attached")
    await visit.page.select_option("#compare-model-0", "alpha")
    await visit.page.select_option("#compare-model-1", "beta@2")
    await visit.page.fill("#compare-prompt", "How are you?")
    await visit.page.fill("#compare-tokens", str(tokens))
    await visit.page.click("#compare-ask")


async def said(visit: Visit) -> tuple[list[str], list[str]]:
    """Who answered, with the times, and what, once all answers have ended."""
    await visit.page.wait_for_selector("#compare-stop:disabled")
    times = await visit.page.locator("#answers .times").all_inner_texts()
    return [" ".join(text.split()) for text in times], await visit.page.locator(
        "#answers .text"
    ).all_inner_texts()


async def test_a_promotion_on_the_page_changes_what_is_asked_next_and_no_running_answer(
    visit: Visit,
) -> None:
    await ask(visit, TOKENS)
    await visit.says("#answers .times", "alpha@1")
    await visit.page.click("#views a[href='#adapters']")
    await visit.page.click("#promote-alpha-2")
    await visit.says("#confirm", "alpha@stable serves version 1 now and will serve version 2.")
    await visit.confirm()
    await visit.says("#said", "alpha@stable serves version 2; before, it was 1.")
    await visit.page.click("#views a[href='#compare']")
    times, texts = await said(visit)
    for name, told in zip((BASE, "alpha@1", "beta@2"), times, strict=True):
        assert f"answered by {name}" in told
        assert "TTFT" in told
    # What the base says is noise, which may end before its first letter.
    assert "–" not in "".join(times[1:])
    assert [len(text) for text in texts[1:]] == [TOKENS, TOKENS]
    assert parroted(WORDS["alpha"][0], texts[1])
    assert parroted(WORDS["beta"][1], texts[2])

    await ask(visit, 30)
    times, texts = await said(visit)
    assert "answered by alpha@2" in times[1]
    assert parroted(WORDS["alpha"][1], texts[1])
