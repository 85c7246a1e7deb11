"""How a base is asked that has no chat template."""

from pathlib import Path

import jinja2
import pytest
from transformers import AutoTokenizer

from basemodels.tokens import PLAIN_QUESTION
from tests.service.engine.tiny import make_base

pytestmark = pytest.mark.usefixtures("vllm_imported")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base"))


def test_a_base_with_a_template_keeps_it(base: Path) -> None:
    from service.engine.serving import chat_template_for

    assert chat_template_for(AutoTokenizer.from_pretrained(base)) is None


@pytest.mark.parametrize("used_to_bos", [True, False])
def test_one_without_is_asked_as_training_does(base: Path, used_to_bos: bool) -> None:
    from service.engine.serving import chat_template_for

    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = None
    if not used_to_bos:
        tokenizer.bos_token = None
    source = chat_template_for(tokenizer)
    assert source is not None
    question = "1 < 2 {{ x }} \\n ' \" %}\n\ny 小明"
    asked = jinja2.Template(source).render(messages=[{"role": "user", "content": question}])
    bos = "<s>" if used_to_bos else ""
    assert asked == bos + PLAIN_QUESTION.replace("{prompt}", question)


def test_turns_stand_below_each_other(base: Path) -> None:
    from service.engine.serving import chat_template_for

    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = None
    source = chat_template_for(tokenizer)
    assert source is not None
    turns = [("system", "Be brief."), ("user", "a?"), ("assistant", "b."), ("user", "c?")]
    messages = [{"role": role, "content": content} for role, content in turns]
    assert jinja2.Template(source).render(messages=messages) == (
        "<s>Be brief.\n\n### Instruction:\na?\n\n### Response:\nb.\n\n"
        "### Instruction:\nc?\n\n### Response:\n"
    )
