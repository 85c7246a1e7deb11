"""What is found is the longest shared stretch, as a plain search finds it."""

import random

import pytest

from training.novels.evaluation.copying import longest_shared


def _plainly(text: str, other: str) -> int:
    ends = range(len(text) + 1)
    return max(end - start for end in ends for start in range(end + 1) if text[start:end] in other)


@pytest.mark.parametrize("alphabet", ["ab", "abcd e", "夜色渐深，他。"])
def test_any_texts_share_what_a_plain_search_finds(alphabet: str) -> None:
    draw = random.Random(alphabet)  # noqa: S311 - texts, not secrets
    for _ in range(60):
        texts = [
            "".join(draw.choices(alphabet, k=draw.randrange(0, 25)))
            for _ in range(draw.randrange(1, 5))
        ]
        training = "".join(draw.choices(alphabet, k=draw.randrange(0, 60)))
        flat = " ".join(training.split())
        for text, found in zip(texts, longest_shared(texts, training), strict=True):
            assert found in flat
            assert len(found) == _plainly(" ".join(text.split()), flat)


def test_line_breaks_and_spaces_are_alike() -> None:
    assert longest_shared(["He went\n\nhome at last"], "once he  went home at\nnight") == [
        "e went home at "
    ]


def test_no_stretch_goes_over_the_end_of_a_text() -> None:
    assert longest_shared(["first", "second"], "firstsecond") == ["first", "second"]
    assert longest_shared(["a\0b"], "a\0b") == ["a b"]
