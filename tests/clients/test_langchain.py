"""`langchain-openai`, as an application uses it, against the whole service."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from tests.clients.conftest import API_KEY, WORDS
from tests.clients.parrots import parroted
from tests.clients.process import Server

pytestmark = pytest.mark.engine
MESSAGES = [SystemMessage("Answer shortly."), HumanMessage("How are you?")]


def model(server: Server, name: str) -> ChatOpenAI:
    return ChatOpenAI(
        model=name, base_url=f"{server.url}/v1", api_key=SecretStr(API_KEY), max_retries=0
    )


class City(BaseModel):
    """A city."""

    name: str


@tool
def get_weather(location: str) -> str:
    """Get the weather of a place."""
    return f"sunny in {location}"


async def test_whole_and_streamed_answers_with_their_usage(real_server: Server) -> None:
    alpha = model(real_server, "alpha@2").bind(max_tokens=9)
    answer = await alpha.ainvoke(MESSAGES)
    assert isinstance(answer, AIMessage)
    assert answer.content == 3 * WORDS["alpha"][1]
    assert answer.response_metadata["model_name"] == "alpha@2"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 9
    chunks = [chunk async for chunk in alpha.astream(MESSAGES)]
    assert parroted(WORDS["alpha"][1], "".join(str(chunk.content) for chunk in chunks))


async def test_tools_and_structured_output(real_server: Server) -> None:
    quote = model(real_server, "quote")
    called = await quote.bind_tools([get_weather], tool_choice="any").ainvoke(MESSAGES)
    assert [(call["name"], call["args"]) for call in called.tool_calls] == [
        ("get_weather", {"location": ""})
    ]
    for method in ("json_schema", "function_calling"):
        shaped = quote.with_structured_output(City, method=method)
        assert await shaped.ainvoke(MESSAGES) == City(name="")
