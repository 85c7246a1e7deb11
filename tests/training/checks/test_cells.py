"""What makes a text unusable is told from what is only unusual."""

import pytest

from training.checks.cells import cell_faults, is_blank, pair_fault, remarks


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "小明有3个苹果。",
        "naïve café, œuvre — “quoted” … 5 €",
        "Привет, мир",
        "こんにちは",
        "👩‍👩‍👧 family 🇩🇪",
        "tab\tand\nnewline",
        "Ελληνικά",
        "x² ≤ √2 × ½",
        "None of them",
        "锟",
        "龘靐齉",
    ],
)
def test_good_text_has_no_fault(text: str) -> None:
    assert list(cell_faults("prompt", text)) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_output"),
        (" \n\t\u3000\u200b", "empty_output"),
        ("null", "null_value"),
        ("NaN", "null_value"),
        ("a\x00b", "control_character"),
        ("a\x0cb", "control_character"),
        ("a\ufeffb", "control_character"),
        ("a\ufffdb", "broken_encoding"),
        ("a\x92b", "broken_encoding"),
        ("donâ€™t", "broken_encoding"),
        ("CafÃ©", "broken_encoding"),
        ("å°æ˜Žæœ‰ä¸‰ä¸ªè‹¹æžœ", "broken_encoding"),
        ("浣犲ソ涓栫晫", "broken_encoding"),
        ("x" * ((1 << 20) + 1), "too_long"),
    ],
)
def test_a_text_that_cannot_be_used_has_its_fault(text: str, code: str) -> None:
    assert [fault.code for fault in cell_faults("output", text)] == [code]


def test_a_place_is_named_within_the_cell() -> None:
    (fault,) = cell_faults("output", "one\ntwo\x07")
    assert "in its line 2" in fault.message


def test_prompt_and_output_must_differ() -> None:
    fault = pair_fault("a", "a\n")
    assert fault is not None
    assert fault.code == "output_is_prompt"
    assert pair_fault("a", "A") is None
    assert pair_fault("", "") is None


@pytest.mark.parametrize(
    ("prompt", "output", "code"),
    [
        ("Which?", "None", "null_like"),
        ("a\u200bb", "c", "invisible_character"),
        ("<p>Hello</p>", "c", "html"),
        ("a", "one &nbsp; two", "html"),
        ("a", " b", "outer_space"),
        ("Tell me of Paris and Rome.", "Tell me of Paris and Rome. They are cities.", "prompt_in_output"),
        ("Say: the quick brown fox jumps", "the quick brown fox jumps", "output_in_prompt"),
    ],
)  # fmt: skip
def test_what_is_worth_a_look_is_remarked(prompt: str, output: str, code: str) -> None:
    assert [remark.code for remark in remarks(prompt, output)] == [code]


@pytest.mark.parametrize(
    ("prompt", "output"),
    [("Is 3 < 4 and 5 > 2?", "Yes"), ("Compare a<b with b>a", "the same"), ("2 or 3?", "3")],
)
def test_ordinary_rows_have_no_remark(prompt: str, output: str) -> None:
    assert list(remarks(prompt, output)) == []


def test_blank_is_what_shows_nothing() -> None:
    assert is_blank("\u200b\ufeff \u2060")
    assert not is_blank("x")
