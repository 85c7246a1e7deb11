"""Tokens and labels, checked one by one."""

from pathlib import Path

import pytest

from adapters import template
from tests.training.tiny_base import write_tokenizer
from training.encode import IGNORED, encode, find_unfit, preview
from training.errors import RunRefused, TrainingError
from training.preparing import load_tokenizer
from training.prompts import Tokenizer, word
from training.rows import Row
from training.tasks import TASKS, Task

END, BEGIN = 256, 257


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return plain(tmp_path_factory.mktemp("tokenizer"))


def plain(directory: Path, *, adds_bos: bool = False) -> Tokenizer:
    write_tokenizer(directory, adds_bos=adds_bos)
    (directory / "config.json").write_text('{"model_type": "llama"}')
    return load_tokenizer(directory)


def row(prompt: str, output: str, line: int = 2) -> Row:
    return Row(line, prompt, output, None, {})


def test_prompt_and_completion_are_tokenised_apart_and_only_the_second_is_trained(
    tokenizer: Tokenizer,
) -> None:
    (example,) = encode([row("ab", "cd")], tokenizer, lambda prompt: f"Q {prompt}\n")
    prompt = tokenizer(["Q ab\n"], add_special_tokens=False)["input_ids"][0]
    c, d = tokenizer(["cd"], add_special_tokens=False)["input_ids"][0]
    assert example.input_ids == [*prompt, c, d, END]
    assert example.labels == [IGNORED] * 5 + [c, d, END]


def test_every_completion_ends_in_the_end_of_text_token_exactly_once(tokenizer: Tokenizer) -> None:
    for example in encode([row("a", "x"), row("b", "长\n文")], tokenizer, str):
        assert example.labels[-1] == END
        assert example.labels.count(END) == 1
        assert len(example.labels) == len(example.input_ids)


def test_the_served_prompt_is_token_for_token_the_trained_one(tokenizer: Tokenizer) -> None:
    wording = word(TASKS["pseudocode"], tokenizer)
    question = "How many? 1 < 2 {{ x }} {% raw %} 'a' \"b\" \\n 小明"
    (example,) = encode([row(question, "return 1")], tokenizer, wording.render)
    trained = [
        i for i, label in zip(example.input_ids, example.labels, strict=True) if label == IGNORED
    ]
    assert wording.form.template is not None
    rendered = template.render(wording.form.template, [{"role": "user", "content": question}])
    assert rendered == f"Question: {question}\nAnswer (in pseudocode):\n"
    assert tokenizer([rendered], add_special_tokens=False)["input_ids"][0] == trained


def test_the_template_takes_the_last_user_message(tokenizer: Tokenizer) -> None:
    wording = word(TASKS["pseudocode"], tokenizer)
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "return 1"},
        {"role": "user", "content": "second"},
    ]
    assert template.render(str(wording.form.template), messages).startswith("Question: second\n")


@pytest.mark.parametrize("adds_bos", [False, True])
def test_a_model_that_is_used_to_a_first_token_gets_it_in_its_template(
    tmp_path: Path, adds_bos: bool
) -> None:
    tokenizer = plain(tmp_path, adds_bos=adds_bos)
    wording = word(TASKS["pseudocode"], tokenizer)
    (example,) = encode([row("a", "return 1")], tokenizer, wording.render)
    assert (example.input_ids[0] == BEGIN) == adds_bos
    assert example.input_ids.count(BEGIN) == adds_bos
    served = template.render(str(wording.form.template), [{"role": "user", "content": "a"}])
    assert served.startswith("<begin>") == adds_bos


def test_an_instruct_task_uses_the_chat_template_of_the_base_if_there_is_one(
    tmp_path: Path,
) -> None:
    tokenizer = plain(tmp_path)
    assert word(TASKS["instruct"], tokenizer).render("hi") == (
        "### Instruction:\nhi\n\n### Response:\n"
    )
    tokenizer.chat_template = "{% for m in messages %}[{{ m['content'] }}]{% endfor %}:"
    wording = word(TASKS["instruct"], tokenizer)
    assert wording.render("hi") == "[hi]:"
    assert wording.form.template is None
    assert word(TASKS["pseudocode"], tokenizer).form.template is not None


def test_a_chat_template_that_refuses_a_user_message_is_said(tmp_path: Path) -> None:
    tokenizer = plain(tmp_path)
    tokenizer.chat_template = "{{ raise_exception('a system message is required') }}"
    with pytest.raises(TrainingError, match="a system message is required"):
        word(TASKS["instruct"], tokenizer)


def test_a_tokenizer_that_puts_a_space_before_text_does_not_put_it_into_completions() -> None:
    class Spaced:
        eos_token_id = END

        def __call__(self, texts: list[str], *, add_special_tokens: bool) -> dict[str, object]:
            return {"input_ids": [[ord(char) for char in f"_{text}"] for text in texts]}

    (example,) = encode([row("ab", "cd")], Spaced(), str)  # type: ignore[arg-type]
    assert example.input_ids == [*map(ord, "_abcd"), END]


def test_a_tokenizer_without_an_end_is_refused(tmp_path: Path) -> None:
    tokenizer = plain(tmp_path)
    tokenizer.eos_token = None  # type: ignore[attr-defined]
    with pytest.raises(RunRefused, match="could not learn to stop"):
        encode([row("a", "b")], tokenizer, str)


def test_rows_that_are_too_long_or_hold_control_tokens_are_found(tokenizer: Tokenizer) -> None:
    rows = [row("a", "b", 2), row("a" * 50, "b", 3), row("<end>", "b", 4), row("a", "<begin>", 5)]
    examples = encode(rows, tokenizer, str)
    found = find_unfit(rows, examples, tokenizer, 20)
    assert {line: problem.code for line, problem in found.items()} == {
        3: "too_long",
        4: "special_token",
        5: "special_token",
    }
    assert "52 tokens, expected at most 20" in found[3].message


def test_the_preview_marks_the_trained_tokens(tokenizer: Tokenizer) -> None:
    (example,) = encode([row("ab", "c\nd")], tokenizer, lambda prompt: f"{prompt}:")
    assert preview(example, tokenizer) == "ab:[c][\\n]\n[d][<end>]"


def test_a_task_names_its_prompt_exactly_once() -> None:
    for name, task in TASKS.items():
        assert isinstance(task, Task)
        assert task.prompt.count("{prompt}") == 1, name
