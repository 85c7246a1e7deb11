"""Worked examples are chosen alike every time, and stand alike in training and when served."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters import template
from adapters.store import Store
from tests.training.tiny_base import write_recipe, write_sums, write_tokenizer
from training import sft
from training.encode import IGNORED
from training.errors import RowsRefused, RunRefused
from training.preparing import Prepared, leaks, load_tokenizer, prepare
from training.prompts import Tokenizer, word, word_as_served
from training.rows import read_rows
from training.sheet import Row
from training.tasks import TASKS
from training.worked_examples import choose


def rows_in(*languages: str, count: int = 20, group: str | None = None) -> list[Row]:
    return [
        Row(
            2 + place * len(languages) + at,
            f"{'小明有' if language == 'zh' else 'Tom has '}{place} + {place + 1}{'?' * place}",
            f"t = {place} + {place + 1}\n{'返回' if language == 'zh' else 'return'} t",
            str(2 * place + 1),
            {},
            group,
        )
        for place in range(count)
        for at, language in enumerate(languages)
    ]


def languages_of(rows: Sequence[Row]) -> list[str]:
    return ["zh" if "小明" in row.prompt else "en" for row in rows]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_tokenizer(tmp_path, adds_bos=False)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    return tmp_path


def prepared(base: Path, rows: Sequence[Row], *, limit: int = 512, examples: int = 2) -> Prepared:
    path = base / "rows.csv"
    lines = [f'{row.prompt},"{row.output}",{row.answer}' for row in rows]
    path.write_text("\n".join(["prompt,output,answer", *lines]) + "\n", encoding="utf-8")
    return prepare(
        read_rows(path, TASKS["pseudocode"], {}),
        "pseudocode",
        base_dir=base,
        max_length_tokens=limit,
        bad_rows="refuse",
        wording=examples,
    )


def test_the_choice_follows_from_the_rows_and_takes_languages_in_turn() -> None:
    rows = rows_in("en", "zh")
    chosen = choose(rows, 4)
    assert choose(list(reversed(rows)), 4) == chosen
    assert languages_of(chosen) == ["en", "zh", "en", "zh"]
    assert choose(rows, 2) == chosen[:2]
    assert choose(rows, 0) == ()
    assert languages_of(choose(rows_in("en"), 2)) == ["en", "en"]
    # A single Chinese row among forty English ones is no second language.
    assert (
        languages_of(choose([*rows_in("en", count=40), *rows_in("zh", count=1)], 2)) == ["en"] * 2
    )


def test_examples_are_short_of_different_groups_and_without_control_tokens() -> None:
    rows = rows_in("en")
    middle = sorted(len(row.prompt) for row in rows)[10]
    assert all(len(row.prompt) <= middle for row in choose(rows, 8))
    with pytest.raises(RowsRefused, match="2 worked examples cannot be chosen from 20 rows of 1"):
        choose(rows_in("en", group="one"), 2)
    with pytest.raises(RowsRefused, match="rows of 0 groups"):
        choose(rows, 1, avoided=["Tom"])
    with pytest.raises(RowsRefused, match="rows to train on besides"):
        choose(rows_in("en", count=1), 1)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_the_served_prompt_with_examples_is_token_for_token_the_trained_one(
    base: Path, count: int
) -> None:
    trained = prepared(base, rows_in("en", "zh"), examples=count)
    form, tokenizer = trained.wording.form, trained.tokenizer
    assert template.problem(str(form.template)) is None
    for row, example in zip(trained.sheet.rows, trained.examples, strict=True):
        (single,) = example.singles
        labelled = zip(single.input_ids, single.labels, strict=True)
        prompt = [token for token, label in labelled if label == IGNORED]
        served = template.render(str(form.template), [{"role": "user", "content": row.prompt}])
        assert tokenizer([served], add_special_tokens=False)["input_ids"][0] == prompt
        assert served.count("Answer (in pseudocode):\n") == count + 1
        assert word_as_served(form, TASKS["pseudocode"], tokenizer)(row.prompt) == served


def test_examples_stand_as_they_would_be_asked_and_answered(base: Path) -> None:
    trained = prepared(base, rows_in("en", "zh"))
    english, chinese = trained.wording.examples
    assert trained.wording.render("And now?") == (
        f"Question: {english.prompt}\nAnswer (in pseudocode):\n{english.output}\n\n"
        f"Question: {chinese.prompt}\nAnswer (in pseudocode):\n{chinese.output}\n\n"
        "Question: And now?\nAnswer (in pseudocode):\n"
    )


def test_an_example_is_not_trained_on_and_is_known_as_a_leak(base: Path) -> None:
    rows = rows_in("en", "zh")
    trained = prepared(base, rows)
    shown = {row.prompt for row in trained.wording.examples}
    assert len(trained.sheet.rows) == len(trained.examples) == len(rows) - 2
    assert not shown & {row.prompt for row in trained.sheet.rows}
    assert [problem.code for problem in trained.sheet.problems] == ["worked_example"] * 2
    held_out = prepare(
        read_rows(base / "rows.csv", TASKS["pseudocode"], {}),
        "pseudocode",
        base_dir=base,
        max_length_tokens=512,
        bad_rows="refuse",
        wording=trained.wording,
    )
    assert held_out.wording.examples == trained.wording.examples
    assert len(held_out.sheet.rows) == len(rows)
    leaked = {problem.line for problem in leaks(trained, held_out.sheet)}
    assert {row.line for row in held_out.sheet.rows if row.prompt in shown} <= leaked


def test_examples_that_leave_no_room_are_refused_before_anything_is_trained(base: Path) -> None:
    with pytest.raises(RunRefused, match="expected fewer than max_length_tokens=60"):
        prepared(base, rows_in("en"), limit=60)
    # Rows that do not fit behind them are left out and said, never cut.
    some = prepared(base, rows_in("en"), limit=225)
    codes = [problem.code for problem in some.sheet.problems]
    assert codes.count("too_long") + 2 + len(some.sheet.rows) == 20
    assert "too_long" in codes


def test_a_form_without_a_place_for_examples_refuses_them(base: Path) -> None:
    tokenizer: Tokenizer = load_tokenizer(base)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    for task in ("instruct", "raw"):
        with pytest.raises(RunRefused, match="2 worked examples have no place"):
            word(TASKS[task], tokenizer, rows_in("en", count=2))


@pytest.mark.training
def test_a_published_version_carries_its_examples(
    tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(tmp_path, tiny_base, write_sums(tmp_path / "rows.csv"))
    arguments = ["--recipe", str(recipe), "--examples", "2", "--max-steps", "2"]
    assert sft.main([*arguments, "--max-length-tokens", "256"]) == 0
    out = capsys.readouterr().out
    assert "34 of 36 kept" in out
    assert "Examples: 2 before every prompt" in out
    manifest = Store(tmp_path / "store").resolve("sums@1").manifest
    assert manifest.training["examples"] == 2
    served = template.render(
        str(manifest.prompt.template), [{"role": "user", "content": "1 and 9?"}]
    )
    assert served.count("return t\n\nQuestion: ") == 2
    assert served.endswith("Question: 1 and 9?\nAnswer (in pseudocode):\n")
