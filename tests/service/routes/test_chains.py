"""A chain of thought is checked over HTTP as it is in training."""

import pytest

from service.chains import MAX_TEXT_CHARACTERS
from tests.service.running import Running

TEXT = "3 bags of 4 apples: 3 × 4 = 12. She eats two: 12 - 2 = 9.\nAnswer: 9"


async def test_every_step_is_recomputed_and_the_verdict_says_whether_it_all_follows(
    app: Running,
) -> None:
    answer = await app.client.post("/v1/cot/check", json={"text": TEXT, "gold": "10"})
    assert answer.status_code == 200
    chain = answer.json()
    found = [(step["stated"], step["recomputed"], step["ok"]) for step in chain["steps"]]
    assert found == [("12", "12", True), ("9", "10", False)]
    assert (chain["answer"], chain["matches_gold"], chain["consistent"]) == ("9", False, False)


async def test_a_right_chain_in_chinese_is_consistent(app: Running) -> None:
    text = "首先，3 × 4 = 12。然后，12 - 2 = 10。所以答案：10"
    chain = (await app.client.post("/v1/cot/check", json={"text": text})).json()
    assert (chain["answer"], chain["consistent"], chain["matches_gold"]) == ("10", True, None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "x" * (MAX_TEXT_CHARACTERS + 1)},
        {"text": 3},
        {"text": "a", "b": 1},
    ],
)
async def test_a_body_that_is_wrong_is_refused(app: Running, body: dict[str, object]) -> None:
    answer = await app.client.post("/v1/cot/check", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
