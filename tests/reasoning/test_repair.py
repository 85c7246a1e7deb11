"""Wrong arithmetic is mended where that alone makes a chain right."""

import pytest

from reasoning import check, repair


@pytest.mark.parametrize(
    ("text", "gold", "repaired"),
    [
        ("3 × 4 = 13. Answer: 13", "12", "3 × 4 = 12. Answer: 12"),
        ("3×4=13。13+5=18。答案：18", "17", "3×4=12。12+5=17。答案：17"),
        ("3 × 4 = 12. Answer: 12", "12", "3 × 4 = 12. Answer: 12"),
        ("0.5 + 0.25 = 0.8 litres. Answer: 0.8", None, "0.5 + 0.25 = 0.75 litres. Answer: 0.75"),
        ("100 - 1 = 9. Answer: 9", None, "100 - 1 = 99. Answer: 99"),
    ],
)
def test_a_wrong_result_is_replaced_wherever_it_is_used(
    text: str, gold: str | None, repaired: str
) -> None:
    assert repair(text, gold) == repaired
    assert check(repaired, gold).consistent


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("3 × 4 = 13. Answer: 13", "99"),
        ("3 × 4 = 13.", None),
        ("10 ÷ 3 = 3. Answer: 3", None),
        ("4 apples. 3 + 2 = 4. 4 + 1 = 5. Answer: 5", "6"),
    ],
)
def test_what_arithmetic_alone_cannot_mend_is_left(text: str, gold: str | None) -> None:
    assert repair(text, gold) is None
