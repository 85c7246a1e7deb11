"""The table of solving, over an engine that writes what it is told."""

import asyncio
import json
import re
from pathlib import Path

import pytest

import pseudocode
from benchmarks import goals
from benchmarks._intervals import Point
from benchmarks._questions import Asked, own, question_sets, with_another_number
from benchmarks._texts import ANSWER, chains, simulated, worked
from benchmarks.cli import main
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Figure
from benchmarks.pseudocode import Found, measure, run
from tests.service.running import listening
from tests.service.solving.scripted import ScriptedEngine, store_with_solver
from training.problems import Language


class Pupil(ScriptedEngine):
    """Knows the programs of some questions and writes one of them, or nothing of use."""

    def __init__(self, programs: dict[str, str], scores: dict[str, float] | None = None) -> None:
        super().__init__(scores=scores)
        self._answer = lambda _, prompt: next(
            (program for text, program in programs.items() if text in prompt), "I do not know."
        )


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


async def measured(
    engine: ScriptedEngine, path: Path, sets: dict[str, list[Asked]], *models: str
) -> dict[str, Figure]:
    async with listening(engine, store_with_solver(path, verifier=bool(engine.scores))) as app:
        found = await measure(str(app.client.base_url), models or ("pseudocode",), sets)
    return by_name(goals.judged("pseudocode", found.figures))


def test_an_adapter_that_is_not_there_is_told_before_a_service_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORADOCK_STORE", str(tmp_path))
    with pytest.raises(BenchmarkError, match=r"pseudocode cannot be measured: .*LORADOCK_STORE"):
        run()


async def test_a_perfect_pupil_reaches_every_goal(tmp_path: Path) -> None:
    asked = own("en", 12)
    changed = [other for other in map(with_another_number, asked) if other]
    programs = {one.text: one.program or "" for one in [*asked, *changed]}
    found = await measured(Pupil(programs, {"": 0.5}), tmp_path, {"own English": asked})
    assert found["own English, + grounded: right"].value == 100
    assert found["own English, + verifier rerank of 8: right"].value == 100
    assert found["own English: right again with one number changed"].value == 100
    # How long it takes is this machine's business, and others compute on it.
    assert all(figure.ok is not False for figure in found.values() if figure.unit != "ms")
    assert found["solving adds"].value > 0
    assert found["compiling a grounded grammar"].value > 0


async def test_a_pupil_that_learnt_by_heart_is_found_out(tmp_path: Path) -> None:
    asked = own("en", 12)
    found = await measured(
        Pupil({one.text: one.program or "" for one in asked}), tmp_path, {"own English": asked}
    )
    again = found["own English: right again with one number changed"]
    assert (again.value, again.ok) == (0, False)
    assert not [name for name in found if "verifier" in name]


async def test_shares_are_of_all_questions_and_of_the_answered(tmp_path: Path) -> None:
    right = Asked("Ann has 6 pens and buys 5. How many?", "11")
    wrong = Asked("Ben has 8 pens and loses 3. How many?", "5")
    unknown = Asked("Cem has 9 pens and eats 13. How many?", "0")
    programs = {right.text: "a = 6 + 5\nreturn a", wrong.text: "a = 8 + 3\nreturn a"}
    found = await measured(Pupil(programs), tmp_path, {"mine": [right, wrong, unknown, unknown]})
    assert found["mine, straight: executed"].value == 50
    assert found["mine, straight: right"].value == 25
    assert found["mine, straight: abstained"].value == 50
    assert found["mine, straight: right of those answered"].value == 50
    assert found["mine, straight: tokens per answered question"].value == 11
    assert found["mine, + vote of 5: answered at 20% wrong"].value == 0
    assert "n = 4" in found["mine, straight: right"].note


async def test_families_are_counted_apart_the_weakest_first(tmp_path: Path) -> None:
    asked = own("en", 40)
    families = dict.fromkeys(one.family for one in asked)
    known = {one.text: one.program or "" for one in asked if one.family != "age"}
    found = await measured(Pupil(known), tmp_path, {"own English": asked})
    told = [name for name in found if ", family " in name]
    assert len(told) == len(families)
    assert told[0] == "own English, family age: right"
    assert [found[name].value for name in told] == [0.0] + [100.0] * (len(families) - 1)


async def test_several_adapters_are_told_apart(tmp_path: Path) -> None:
    asked = [Asked("Ann has 6 pens and buys 5. How many?", "11")]
    pupil = Pupil({asked[0].text: "a = 6 + 5\nreturn a"})
    found = await measured(pupil, tmp_path, {"mine": asked}, "pseudocode@1", "pseudocode@2")
    for model in ("pseudocode@1", "pseudocode@2"):
        assert found[f"{model}: mine, + grounded: right"].value == 100
        assert found[f"{model}: mine, simulated by the model: right"].value == 0


@pytest.mark.parametrize(
    ("said", "right", "abstained"),
    [(" 11\n\nQuestion: another of 7", 1, 0), (" 12", 0, 0), ("I do not know\n11", 0, 1)],
)
async def test_a_simulated_answer_is_what_the_model_says_its_program_returns(
    tmp_path: Path, said: str, right: int, abstained: int
) -> None:
    asked = Asked("Ann has 6 pens and buys 5. How many?", "11")
    pupil = Pupil({f"return a\n{ANSWER}": said, asked.text: "a = 6 + 5\nreturn a"})
    # The first that fits is written: the longer text is that of the second question.
    async with listening(pupil, store_with_solver(tmp_path)) as app:
        told = await simulated(app.client, "pseudocode", [asked])
    assert (told.right.share, told.abstained.share) == (right, abstained)


async def test_a_chain_of_thought_answers_by_its_conclusion(tmp_path: Path) -> None:
    asked = Asked("Ann has 6 pens and buys 5. How many?", "11")
    engine = Pupil({asked.text: "First: 6 + 5 = 11.\nAnswer: 11"})
    async with listening(engine, store_with_solver(tmp_path)) as app:
        told = await chains(app.client, "novel", [asked, Asked("And else?", "2")])
    assert (told.right.share, told.answered, told.tokens > 0) == (0.5, 1, True)


def test_worked_programs_stand_before_a_simulated_one_in_its_language() -> None:
    for question, language in (("How many?", "en"), ("一共几个?", "zh")):
        text = worked(question)
        assert text.count(ANSWER) == 2
        assert bool(re.search("[\u4e00-\u9fff]", text)) == (language == "zh")
        for block in text.strip().split("\n\n"):
            program, _, answer = block.split("Answer (in pseudocode):\n")[1].partition(
                f"\n{ANSWER}"
            )
            assert pseudocode.run(program).answer == answer


def test_the_questions_are_those_that_no_training_row_shares() -> None:
    sets = question_sets(30)
    assert {"own English", "own Chinese"} <= sets.keys()
    for questions in sets.values():
        assert len({asked.text for asked in questions}) == 30


@pytest.mark.parametrize("language", ["en", "zh"])
def test_another_number_has_another_answer(language: Language) -> None:
    pairs = [(asked, with_another_number(asked)) for asked in own(language, 40)]
    assert sum(other is not None for _, other in pairs) > 20
    for asked, other in pairs:
        if other is not None:
            assert other.text != asked.text
            assert other.answer != asked.answer
            assert pseudocode.run(other.program or "").answer == other.answer


def test_without_a_program_nothing_can_be_changed() -> None:
    assert with_another_number(Asked("5 and 6?", "11")) is None


def test_the_service_that_is_named_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks import pseudocode as benchmark

    asked: list[str] = []

    async def noted(
        url: str, models: list[str], sets: dict[str, list[Asked]], cot_adapter: str | None
    ) -> Found:
        await asyncio.sleep(0)
        asked.extend([url, *models, str(cot_adapter), *(str(len(one)) for one in sets.values())])
        return Found(curves={"votes": [Point(1.0, 0.25, 0.0), Point(0.5, 0.75, 0.2)]})

    monkeypatch.setattr(benchmark, "measure", noted)
    monkeypatch.setenv("LORADOCK_SHARED_DATA", str(tmp_path))
    picture = tmp_path / "curves" / "risk.svg"
    arguments = ["pseudocode", "--url", "http://there", "--models", "a@1", "b@1", "--limit", "3"]
    assert main([*arguments, "--cot-adapter", "cot", "--plot", str(picture)]) == 0
    assert asked == ["http://there", "a@1", "b@1", "cot", "3", "3"]
    assert "<svg" in picture.read_text("utf-8")
    points = json.loads(picture.with_suffix(".json").read_text("utf-8"))
    assert points["votes"][1] == {"threshold": 0.5, "coverage": 0.75, "risk": 0.2}
