"""What is shown of a long text is its beginning and its last part, cut where sentences are."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.manuscript import Manuscript

SENTENCE = "The rain fell on the old wall, number {}. "


def _grow(text: str, window: int, head: int, count: int = 60) -> list[str]:
    manuscript = Manuscript(text, window, head)
    shown = [manuscript.window()]
    for number in range(count):
        manuscript.text += SENTENCE.format(number)
        shown.append(manuscript.window())
    return shown


def test_a_text_that_fits_is_shown_as_it_is() -> None:
    manuscript = Manuscript("Once. ", 1000, 100)
    manuscript.text += "Upon a time"
    assert manuscript.window() == "Once. Upon a time"


def test_a_long_text_keeps_its_beginning_and_goes_on_from_a_sentence() -> None:
    opening = "Ann lived by the sea. She had a boat. "
    for window in _grow(opening, 600, 30)[-20:]:
        assert len(window) <= 600
        head, _, tail = window.partition("\n")
        assert head == "Ann lived by the sea."
        assert tail.startswith("The rain fell")


def test_the_window_stays_where_it_is_until_it_is_full_again() -> None:
    windows = _grow("Ann lived by the sea. ", 1200, 100)
    moves = [not later.startswith(earlier) for earlier, later in pairwise(windows)]
    assert 1 <= sum(moves) <= len(moves) // 8


def test_a_paragraph_is_preferred_to_a_sentence() -> None:
    text = "“来者何人？”守卫问道。没有人回答他。\n雨落在旧墙上。" * 40
    manuscript = Manuscript(text, 400, 20)
    _, _, tail = manuscript.window().partition("\n")
    assert tail.startswith("雨落在旧墙上。")
    assert text.endswith(tail)


def test_a_narrower_window_shows_less() -> None:
    manuscript = Manuscript(SENTENCE * 100, 2000, 400)
    assert 500 < len(manuscript.window()) <= 2000
    manuscript.narrow_to(500)
    assert len(manuscript.window()) <= 500


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("He went.", True),
        ("“Go!” ", True),
        ("他走了。”", True),
        ("He went.\n", False),
        ("He we", False),
        ("", False),
    ],
)
def test_the_end_of_a_sentence_is_known(text: str, ends: bool) -> None:
    assert Manuscript(text, 400, 0).ends_a_sentence() is ends


@given(
    st.text(alphabet="ab. \n。“", min_size=1, max_size=3000),
    st.integers(400, 1500),
    st.integers(0, 1500),
    st.lists(st.text(alphabet="xy. \n", max_size=400), max_size=8),
)
def test_no_window_is_too_long_and_each_ends_as_the_text_does(
    text: str, window: int, head: int, pieces: list[str]
) -> None:
    manuscript = Manuscript(text, window, head)
    for piece in pieces:
        manuscript.text += piece
        shown = manuscript.window()
        assert len(shown) <= window
        tail = shown if shown == manuscript.text else shown.partition("\n")[2] or shown
        assert manuscript.text.endswith(tail[-50:])
