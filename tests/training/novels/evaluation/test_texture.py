"""Counts over continuations, on texts small enough to count by hand."""

import pytest

from training.novels.evaluation.texture import Texture, distinct, texture_of, units
from training.novels.evaluation.writing import Sampling, Written


def test_a_unit_is_a_word_a_mark_or_a_chinese_character() -> None:
    assert units("Don't go, he said.") == ["don't", "go", ",", "he", "said", "."]
    assert units("他说：go 了。") == ["他", "说", "：", "go", "了", "。"]


def test_distinct_ngrams_are_counted() -> None:
    assert distinct(list("abab"), 1) == 0.5
    assert distinct(list("abab"), 2) == pytest.approx(2 / 3)
    assert distinct(list("ab"), 3) == 1


def test_a_loop_repeats_and_a_list_does_not() -> None:
    loop = texture_of([Written("and so on " * 40, ended=False)], [100], None)
    fresh = texture_of([Written(" ".join(map(str, range(120))) + ".", ended=True)], [100], None)
    assert loop.repeated > 0.9
    assert fresh.repeated == 0
    assert loop.distinct[0] == pytest.approx(0.03)
    assert (loop.whole.count, fresh.whole.count) == (0, 1)
    assert (loop.ended.count, fresh.ended.count) == (0, 1)
    assert (loop.characters, loop.characters_asked) == (400, 100)
    assert loop.distance(fresh) > fresh.distance(fresh) == 0


def test_variety_does_not_depend_on_length() -> None:
    words = " ".join(f"word{number % 60}" for number in range(400))
    short, long = (
        texture_of([Written(text, ended=True)], [1], None) for text in (words[:700], words)
    )
    assert short.distinct == long.distinct


def test_copies_are_told_by_mean_and_longest() -> None:
    written = [Written("one", ended=True), Written("two", ended=True)]
    found: Texture = texture_of(written, [3, 3], ["ab", "abcd"])
    assert (found.shared_characters, found.longest_shared) == (3, "abcd")


@pytest.mark.parametrize("text", ["hot", "1", "3/1", "0.5/0", "1/2", "-1/1"])
def test_a_sampling_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the command line says what was expected
        Sampling.parse(text)


def test_a_sampling_is_written_as_it_is_read() -> None:
    assert str(Sampling.parse("0.80/0.95")) == "0.8/0.95"
