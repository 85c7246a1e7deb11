"""How an adapter's prompt form completes a body, without any engine."""

import pytest
from pydantic import JsonValue

from adapters.manifest import PromptForm, Sampling
from service.engine.errors import RequestRefused
from service.engine.prompting import flat, rendered, with_defaults

FORM = PromptForm(stop=["\n\n"], sampling=Sampling(temperature=0.5, top_p=0.9, max_tokens=7))


def test_without_an_adapter_a_body_keeps_what_it_sets() -> None:
    assert with_defaults({"prompt": "x", "stop": None, "n": 1}, None) == {"prompt": "x", "n": 1}


def test_what_the_body_leaves_open_comes_from_the_adapter() -> None:
    assert with_defaults({"n": 1, "temperature": None}, FORM) == {
        "n": 1,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["\n\n"],
        "max_tokens": 7,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("temperature", 0.0), ("top_p", 1.0), ("stop", []), ("max_tokens", 3)],
)
def test_what_the_body_sets_stays(field: str, value: JsonValue) -> None:
    assert with_defaults({field: value}, FORM)[field] == value


def test_either_word_for_the_limit_counts() -> None:
    assert "max_tokens" not in with_defaults({"max_completion_tokens": 3}, FORM)


def test_text_parts_are_joined_as_vllm_joins_them() -> None:
    parts: list[JsonValue] = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert flat([{"role": "user", "content": parts}]) == [{"role": "user", "content": "a\nb"}]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ("hello", "messages"),
        ([], "messages"),
        (None, "messages"),
        (["hello"], "messages[0]"),
        ([{"role": "user", "content": "x"}, {"role": "user"}], "messages[1]"),
        ([{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}], "messages[0]"),
        ([{"role": "user", "content": []}], "messages[0]"),
        ([{"role": 3, "content": "x"}], "messages[0]"),
    ],
)
def test_what_is_not_text_is_refused_by_place(messages: JsonValue, param: str) -> None:
    with pytest.raises(RequestRefused) as refusal:
        rendered("{{ messages[0]['content'] }}", messages)
    assert (refusal.value.status, refusal.value.param) == (400, param)


def test_a_template_may_refuse() -> None:
    source = "{{ raise_exception('one message only') }}"
    with pytest.raises(RequestRefused, match="one message only"):
        rendered(source, [{"role": "user", "content": "x"}])


def test_a_template_decides_the_whole_text() -> None:
    source = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{{ '\\n' }}"
    messages: JsonValue = [
        {"role": "system", "content": " s "},
        {"role": "user", "content": "你好\n"},
    ]
    assert rendered(source, messages) == "<system> s <user>你好\n\n"
