"""The small languages of texts and of number ranges."""

import random
from decimal import Decimal

import pytest

from training.problems import quantities, wording
from training.problems.wording import Slot


def renderings(text: str, fill: dict[str, str] | None = None) -> set[str]:
    words = fill or {}
    parsed = wording.parse(text)
    rng = random.Random(0)  # noqa: S311  # chance, not secrets
    return {parsed.render(rng, lambda slot: words[str(slot)]) for _ in range(200)}


def test_choices_nest_and_may_be_empty() -> None:
    assert renderings("a[b|c[d|e]|]f") == {"abf", "acdf", "acef", "af"}


def test_slots_are_filled_by_name_and_form() -> None:
    assert renderings(
        "{n} [{fruit}|{fruit.one}]", {"{n}": "3", "{fruit}": "figs", "{fruit.one}": "fig"}
    ) == {"3 figs", "3 fig"}


def test_every_option_counts_when_slots_are_listed() -> None:
    parsed = wording.parse("{a} [{b} or|[{c.one}|]] {a}")
    assert list(parsed.slots()) == [Slot("a"), Slot("b"), Slot("c", "one"), Slot("a")]
    assert "".join(parsed.literals()).split() == ["or"]


def test_line_breaks_in_a_text_are_spaces_and_in_a_program_lines() -> None:
    assert renderings("one\n  two") == {"one two"}
    program = wording.parse_lines("x = {a} + 1\nreturn x\n")
    rng = random.Random(0)  # noqa: S311  # as above
    assert program.render(rng, lambda slot: "4") == "x = 4 + 1\nreturn x"


def draws(declared: object, others: dict[str, str] | None = None) -> list[str | None]:
    quantity = quantities.parse(declared)
    rng = random.Random(1)  # noqa: S311  # as above
    return [quantity.draw(rng, lambda name: Decimal((others or {})[name])) for _ in range(3000)]


def test_a_range_reaches_both_ends_and_stays_inside() -> None:
    assert {int(number or 0) for number in draws("3..12")} == set(range(3, 13))
    assert set(draws("0..2")) == {"0", "1", "2"}


def test_steps_give_multiples_written_with_the_decimals_of_the_step() -> None:
    assert set(draws("0.25..1.25/0.25")) == {"0.25", "0.50", "0.75", "1", "1.25"}
    assert set(draws("12..90/20")) == {"20", "40", "60", "80"}
    assert set(draws("0.5..1.5/0.5")) == {"0.5", "1", "1.5"}


def test_a_range_may_depend_on_other_numbers() -> None:
    assert set(draws("2..a", {"a": "5"})) == {"2", "3", "4"}
    assert set(draws("a..7", {"a": "5"})) == {"6", "7"}
    assert set(draws("10..40 x b", {"b": "12"})) == {"12", "24", "36"}
    assert set(draws("10..40 x b + c", {"b": "12", "c": "5"})) == {"17", "29"}
    assert set(draws("6..20 x part.n", {"part.n": "8"})) == {"8", "16"}
    assert list(quantities.parse("a..40 x b + c").references()) == ["a", "b", "c"]


def test_an_empty_range_draws_nothing() -> None:
    assert set(draws("5..a", {"a": "5"})) == {None}
    assert set(draws("20..23 x b", {"b": "12"})) == {None}


def test_a_list_is_drawn_evenly() -> None:
    found = draws([10, 25, 2.5])
    assert {number: round(found.count(number) / 1000, 0) for number in set(found)} == {
        "10": 1.0,
        "25": 1.0,
        "2.5": 1.0,
    }


def test_wide_ranges_give_short_numbers_too() -> None:
    lengths = [len(number or "") for number in draws("2..900")]
    assert min(lengths.count(length) for length in (1, 2, 3)) > len(lengths) / 10


@pytest.mark.parametrize(
    "declared", ["2-9", "2..", "..9", "2..9 x", "2..9 + c", [], None, "2..9/b"]
)
def test_what_is_no_range_is_refused(declared: object) -> None:
    with pytest.raises(ValueError, match=r"is no range; expected 2\.\.90"):
        quantities.parse(declared)
