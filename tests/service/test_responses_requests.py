"""A request of the Responses API means one chat body, or is refused with the field's name."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.responses_requests import ResponsesRequest


def chat(**fields: object) -> dict[str, Any]:
    return ResponsesRequest.model_validate({"model": "alpha", **fields}).for_engine()


def test_a_text_is_one_message_after_the_instructions() -> None:
    assert chat(input="Hi", instructions="Be brief.")["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]


def test_items_are_turns_and_thoughts_are_dropped() -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "phase": "final_answer",
            "content": [{"type": "output_text", "text": "b", "annotations": [], "logprobs": []}],
        },
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "3"},
        {
            "type": "function_call_output",
            "call_id": "c1",
            "output": [{"type": "input_text", "text": text} for text in ("4", "5")],
        },
    ]
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert chat(input=items)["messages"] == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "3", "tool_call_id": "c1"},
        {"role": "tool", "content": "4\n5", "tool_call_id": "c1"},
    ]


def test_limits_and_formats_get_the_chat_apis_names() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    text = {"format": {"type": "json_schema", "name": "number", "schema": schema}}
    body = chat(
        input="Hi",
        max_output_tokens=7,
        temperature=0.5,
        text=text,
        include=["message.output_text.logprobs"],
        top_logprobs=2,
        stream=True,
        user="ann",
        store=True,
        metadata={"a": "b"},
        reasoning={"effort": "low"},
    )
    del body["messages"]
    assert body == {
        "max_completion_tokens": 7,
        "temperature": 0.5,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "number", "schema": schema},
        },
        "logprobs": True,
        "top_logprobs": 2,
        "stream": True,
    }


def test_tools_are_nested_as_the_chat_api_has_them() -> None:
    parameters = {"type": "object"}
    tool = {"type": "function", "name": "f", "parameters": parameters}
    body = chat(input="Hi", tools=[tool], tool_choice={"type": "function", "name": "f"})
    assert body["tools"] == [
        {"type": "function", "function": {"name": "f", "parameters": parameters}}
    ]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": ""},
        {"input": []},
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
        {"input": [{"type": "file_search_call"}]},
        {"input": [{"role": "user", "content": "a"}] * 1025},
        {"input": "Hi", "background": True},
        {"input": "Hi", "truncation": "auto"},
        {"input": "Hi", "max_output_tokens": 0},
        {"input": "Hi", "tools": [{"type": "web_search"}]},
        {"input": "Hi", "previous_response_id": "resp_1"},
        {"input": "Hi", "text": {"format": {"type": "json_schema", "name": "n"}}},
        {"input": "Hi", "chat_template": "{{ 1 }}"},
    ],
)
def test_what_is_not_served_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        chat(**wrong)
