"""Near duplicates and leaks are found, and different problems are not called the same."""

from training.checks.leakage import exact_leaks, near_leaks
from training.checks.repeats import near_repeats
from training.checks.similarity import near_pairs, normalise
from training.sheet import Row

STORY = (
    "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. "
    "How many clips did Natalia sell altogether in April and May?"
)
CHINESE = "小明一共有四十八个苹果，五月份又买了其中的一半那么多，请问小明四月和五月一共有多少个苹果？请你一步一步地把过程写出来，最后再写出答案，并说明理由是什么。"


def row(line: int, prompt: str) -> Row:
    return Row(line, prompt, f"output {line}", None, {})


def test_a_changed_word_is_a_near_duplicate_in_either_language() -> None:
    texts = [STORY, CHINESE, STORY.replace("Natalia", "Natalie"), CHINESE.replace("请你", "请")]
    pairs = list(near_pairs(texts))
    assert [(pair.earlier, pair.later) for pair in pairs] == [(0, 2), (1, 3)]
    assert all(0.8 <= pair.overlap < 1 for pair in pairs)


def test_other_texts_and_short_ones_are_no_near_duplicates() -> None:
    texts = ["What is 2 + 3?", "What is 2 + 4?", STORY, STORY[::-1], CHINESE]
    assert list(near_pairs(texts)) == []


def test_a_near_duplicate_names_the_earlier_line() -> None:
    (found,) = near_repeats([row(2, STORY), row(5, STORY + " Think!")])
    assert (found.line, found.code) == (5, "near_duplicate")
    assert "line 2" in found.message


def test_copies_differ_in_case_width_punctuation_and_spaces_only() -> None:
    assert normalise("Ｗhat  is\n2＋3？") == normalise("what is 2+3?")
    assert normalise("2+3") != normalise("2+4")


def test_leaks_are_exact_or_near() -> None:
    trained = [row(2, STORY), row(3, "What is 2 + 3?")]
    held_out = [row(2, "what is 2+3"), row(3, STORY + " Think!"), row(4, "What is 2 + 4?")]
    exact = exact_leaks(trained, held_out, "rows.csv")
    assert [(leak.line, leak.code) for leak in exact] == [(2, "leak")]
    assert "line 3 of rows.csv" in exact[0].message
    near = near_leaks(trained, held_out, "rows.csv")
    assert [(leak.line, leak.code) for leak in near] == [(3, "near_leak")]


def test_long_documents_are_compared_quickly() -> None:
    document = " ".join(str(number) for number in range(200_000))
    assert [pair.later for pair in near_pairs([document, document + " end"])] == [1]
