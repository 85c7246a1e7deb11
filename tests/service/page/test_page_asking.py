"""Asking in a real browser: side by side while a version changes, and questions solved by programs."""

import asyncio

import pytest

from tests.service.page.browsing import Visit
from tests.service.page.docked import HOSTILE, PROGRAM, QUESTION, engine_of
from tests.service.running import Running, until

pytestmark = pytest.mark.browser


async def ask(visit: Visit, text: str, *others: str) -> None:
    await visit.page.click("#views a[href='#compare']")
    # The choices come with the first answer of the server.
    await visit.page.wait_for_selector("#compare-model-0 option[value='novel@1']", state="attached")
    for place, model in enumerate(others):
        await visit.page.select_option(f"#compare-model-{place}", model)
    await visit.page.fill("#compare-prompt", text)
    await visit.page.click("#compare-ask")


async def test_one_prompt_goes_to_four_at_once_with_times_and_differences(
    visit: Visit, app: Running
) -> None:
    engine_of(app).faults.token_delay_s = 0.1
    asking = asyncio.ensure_future(ask(visit, QUESTION, "novel@1", "novel@2", "pseudocode"))
    await until(lambda: len(engine_of(app).running) == 4)
    await asking
    await visit.says("#answers", "6 of 14 words are as in the first answer")
    assert await visit.page.locator("#answers .answer").count() == 4
    times = await visit.page.locator("#answers .times").all_inner_texts()
    assert "answered by smollm2-135m-instruct" in " ".join(times[0].split())
    for text in times:
        assert "–" not in text
        assert "TTFT" in text
        assert "tokens/s" in text
    marked = await visit.page.locator("#answers .answer >> nth=1 >> mark").all_inner_texts()
    assert "".join(marked).startswith("Ann counted")
    assert await visit.page.locator("#answers .answer >> nth=0 >> mark").count() == 0


async def test_a_promotion_during_the_answers_changes_only_the_next_ones(
    visit: Visit, app: Running
) -> None:
    engine_of(app).faults.token_delay_s = 0.05
    await ask(visit, "Tell me.", "novel")
    await until(lambda: len(engine_of(app).running) == 2)
    await visit.says("#answers .times", "novel@1")
    (await app.promote("novel", 2)).raise_for_status()
    await visit.says("#answers", "words are as in the first answer")
    assert "of them to the river." in await visit.page.locator(".answer >> nth=1").inner_text()
    engine_of(app).faults.token_delay_s = 0
    await visit.page.click("#compare-ask")
    await visit.says("#answers .times", "novel@2")


async def test_stopping_ends_every_generation_and_keeps_what_came(
    visit: Visit, app: Running
) -> None:
    engine_of(app).faults.token_delay_s = 0.2
    await ask(visit, "Tell me.", "novel@1")
    await visit.says("#answers .answer >> nth=1 >> .text", "Ann")
    await visit.page.click("#compare-stop")
    await visit.says("#answers", "Stopped. What had come stays.")
    await until(lambda: not engine_of(app).running)
    assert len(engine_of(app).aborted) == 2
    assert await visit.page.is_disabled("#compare-stop")


async def test_what_a_model_says_is_text(visit: Visit) -> None:
    await ask(visit, "markup", "novel@1")
    await visit.says("#answers", "words are as in the first answer")
    assert HOSTILE in await visit.page.locator(".answer >> nth=1").inner_text()
    assert await visit.page.locator("img").count() == 0


async def test_an_engine_that_dies_in_mid_answer_is_said(visit: Visit, app: Running) -> None:
    engine_of(app).faults.dies_after_tokens = 3
    await ask(visit, "Tell me.")
    await visit.says("#answers .notice", "The engine is starting or restarting.")


async def solve(visit: Visit, question: str, model: str = "pseudocode") -> None:
    await visit.page.click("#views a[href='#solve']")
    await visit.page.wait_for_selector("#solve-model option[value='novel']", state="attached")
    await visit.page.select_option("#solve-model", model)
    await visit.page.fill("#solve-question", question)
    await visit.page.click("#solve-ask")


async def test_a_question_gives_the_program_with_its_values_and_the_verdict(visit: Visit) -> None:
    await solve(visit, QUESTION)
    await visit.says("#solution .verdict", "pseudocode@2")
    rows = await visit.page.locator("#solution tbody tr").all_inner_texts()
    cells = [row.split("\t") for row in rows]
    assert [[cell.strip() for cell in row] for row in cells] == [
        [str(place + 1), line, value]
        for place, (line, value) in enumerate(
            zip(PROGRAM.splitlines(), ("7", "10", "10"), strict=True)
        )
    ]
    assert await visit.page.locator(".outcome strong").inner_text() == "10"
    await visit.says(".verdict", "uses the question's numbers")


async def test_steps_are_shown_while_the_program_is_being_written(
    visit: Visit, app: Running
) -> None:
    engine_of(app).faults.token_delay_s = 0.15
    await solve(visit, QUESTION)
    await visit.says("#solution .program", "left = 12 - 5")
    assert await visit.page.locator("#solution .verdict").count() == 0
    await visit.says("#solution", "The program is being written.")
    await visit.page.click("#solve-stop")
    await visit.says("#solution", "Stopped.")
    await until(lambda: not engine_of(app).running)


async def test_several_programs_show_how_far_they_agree(visit: Visit) -> None:
    await visit.page.click("#views a[href='#solve']")
    await visit.page.fill("#solve-samples", "3")
    await solve(visit, QUESTION)
    await visit.says(".verdict", "100 %")


@pytest.mark.parametrize(
    ("question", "model", "said"),
    [
        ("Why is the sky blue?", "pseudocode", "No answer: the question gives no number"),
        ("There are 7 pens.", "pseudocode", "No answer: the program uses a number"),
        (QUESTION, "novel", "This adapter was not trained to write programs."),
    ],
)
async def test_without_an_answer_the_reason_is_given(
    visit: Visit, question: str, model: str, said: str
) -> None:
    await solve(visit, question, model)
    await visit.says("#solution", said)
