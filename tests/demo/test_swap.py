"""The swap's judge finds what it is there to find."""

from demo.swap import Answer, SwapReport, _judge

ALONE = {"t@1": {"q": "one", "r": "same"}, "t@2": {"q": "two", "r": "same"}}


def judged(question: str, models: set[str], text: str) -> SwapReport:
    report = SwapReport()
    _judge(report, [Answer(question, frozenset(models), text, longest_gap_s=0.5)], ALONE)
    return report


def test_an_answer_of_the_version_it_names_is_right() -> None:
    report = judged("q", {"t@1"}, "one")
    assert report.wrong_version == 0
    assert report.by_version == {"t@1": 1}
    assert report.longest_gap_s == 0.5


def test_an_answer_of_the_other_version_is_wrong() -> None:
    assert judged("q", {"t@1"}, "two").wrong_version == 1


def test_an_answer_that_names_two_versions_is_wrong() -> None:
    assert judged("q", {"t@1", "t@2"}, "one").wrong_version == 1


def test_an_answer_by_a_model_that_was_not_asked_is_wrong() -> None:
    assert judged("q", {"base"}, "one").wrong_version == 1


def test_versions_that_agree_cannot_be_told_apart_and_are_not_called_wrong() -> None:
    assert judged("r", {"t@2"}, "same").wrong_version == 0
