"""Each task accepts its good rows in both languages and names what is wrong with others."""

from typing import get_args

import pytest

from training.tasks import PLACEHOLDER, TASKS, TaskName
from training.tasks.continuation import unbalanced_quote
from training.tasks.evolution import sections
from training.tasks.registry import table

GOOD: dict[TaskName, list[tuple[str, str | None]]] = {
    "continuation": [
        ("He ran. “Stop!” she cried.", None),
        ("他说：“走吧。”", None),
        ('"Go," he said. "Now."', None),
        ("“First paragraph of a speech.\n\n“And its second.” He sat down.", None),
        ("He waited…", None),
        ("It's the dog's.", None),
    ],
    "cot": [
        ("3 × 4 = 12. Answer: 12", "12"),
        ("首先，3×4=12。答案：12", None),
        ("First draw it. Then count. Answer: B", "B"),
    ],
    "evolution": [
        ("[Algorithm] Adam\n[Ideas] moments\n[Pseudocode]\nm = 1\n[Reasons] noise", None),
        ("## Algorithm\nAdam\n## Key ideas\nx\n## Pseudocode\ny\n## Reasons\nz", None),
        ("算法：Adam\n核心思想：矩\n伪代码：\nm\n理由：噪声", None),
        ("【算法】Adam\n【核心思想】矩\n【伪代码】m\n【理由】噪声", None),
        ("**Algorithm:** Adam\n**Ideas:** x\n**Pseudocode:** y\n**Reasons:** z", None),
    ],
    "instruct": [("Anything.", None)],
    "pseudocode": [("x = 3 * 4\nreturn x", "12"), ("return 1 / 2", "0.5")],
    "raw": [("Once upon a time", None)],
    "verifier": [("right", None), ("wrong", None)],
}


@pytest.mark.parametrize("name", get_args(TaskName))
def test_good_rows_of_a_task_have_no_fault(name: TaskName) -> None:
    for output, gold in GOOD[name]:
        assert list(TASKS[name].check("a prompt", output, gold)) == [], output


@pytest.mark.parametrize("name", get_args(TaskName))
def test_a_task_declares_a_form_a_metric_and_probes(name: TaskName) -> None:
    task = TASKS[name]
    assert task.prompt.count(PLACEHOLDER) == 1
    assert task.metrics
    assert task.probes
    assert f"| `{name}` |" in table()


@pytest.mark.parametrize(
    ("name", "output", "gold", "codes"),
    [
        ("continuation", "He ran and", None, ["sentence_cut"]),
        ("continuation", "“Go. He ran.", None, ["quote_unbalanced"]),
        ("continuation", "Go.” He ran.", None, ["quote_unbalanced"]),
        ("continuation", '"Go. He ran.', None, ["quote_unbalanced"]),
        ("continuation", "「走吧，他说", None, ["sentence_cut", "quote_unbalanced"]),
        ("cot", "3×4=13。然后13×2=27。", None, ["calculation_wrong"] * 2 + ["conclusion_missing"]),
        ("cot", "Answer: 12", "13", ["steps_missing", "conclusion_wrong"]),
        ("cot", "3 × 4 = 12. Answer: 12. That was easy.", None, ["conclusion_not_last"]),
        ("evolution", "", None, ["section_missing"] * 4),
        ("evolution", "[Algorithm]\n[Ideas] x\n[Pseudocode] y\n[Reasons] z", None, ["section_empty"]),
        ("pseudocode", "return x", None, ["program_fails"]),
        ("pseudocode", "return 1", "2", ["program_wrong"]),
        ("verifier", "right or wrong", None, ["not_a_verdict"]),
    ],
)  # fmt: skip
def test_each_fault_of_an_output_is_named(
    name: TaskName, output: str, gold: str | None, codes: list[str]
) -> None:
    assert [fault.code for fault in TASKS[name].check("a prompt", output, gold)] == codes


def test_sections_end_where_the_next_begins() -> None:
    found = sections("intro\n[Algorithm] Adam\nwith: colons\n[Why] because\n[Other] kept in why")
    assert {name: text.strip() for name, text in found.items()} == {
        "algorithm": "Adam\nwith: colons",
        "reasons": "because\n[Other] kept in why",
    }


@pytest.mark.parametrize(
    ("text", "mark"),
    [("“a", "an opening “"), ("a”", "a closing ”"), ('"a', 'a quotation mark "'), ("“a” b", None)],
)
def test_the_open_quotation_is_named(text: str, mark: str | None) -> None:
    assert unbalanced_quote(text) == mark


def test_a_question_about_a_chain_is_answered_without_sections() -> None:
    check = TASKS["evolution"].check
    assert list(check("Does this change answer that weakness?", "Yes.", None)) == []
    assert list(check("Which comes next?\nA. one\nB. two", "A.", None)) == []
    assert len(check("Propose the next algorithm.", "Yes.", None)) == 4
    proposal = "Name: Adam\nAnswers: noise\nIdeas: moments.\nProgram:\nx\nReasons: less noise"
    assert list(check("Propose the next algorithm.", proposal, None)) == []


@pytest.mark.parametrize(
    ("opening", "output", "switches"),
    [
        ("夜色渐深，他推开门，走进了那间没有人住的旧屋子。", "Nobody had lived there for a long time.", True),
        ("Nobody had lived there for a long time.", "夜色渐深，他推开门，走进了那间没有人住的旧屋子。", True),
        ("夜色渐深，他推开门，走进了那间没有人住的旧屋子。", "“Hello？”他说，没有人回答他，屋子里只有雨声。", False),
        ("Nobody had lived there for a long time.", "“你好。”", False),
    ],
)  # fmt: skip
def test_a_story_keeps_to_its_language(opening: str, output: str, *, switches: bool) -> None:
    faults = TASKS["continuation"].check(opening, output, None)
    assert [fault.code for fault in faults] == ["language_switch"] * switches
