"""What a service says of a text: its likelihood, and how it goes on."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from tests.training.endpoint import serving
from training.errors import EvaluationFailed
from training.served_text import ServedModel, those_after
from training.tasks import TASKS

TASK = TASKS["evolution"]


def test_only_tokens_of_the_output_count() -> None:
    found = SimpleNamespace(
        tokens=["Pro", "mpt", "\n", "out", "put", " more"],
        token_logprobs=[None, -9.0, -9.0, -1.0, -3.0, -9.0],
    )
    assert those_after(len("Prompt\n"), "Prompt\noutput", found) == [-1.0, -3.0]


def test_a_beginning_of_text_token_in_front_shifts_nothing() -> None:
    found = SimpleNamespace(
        tokens=["<begin>", "Prompt\n", "output", "?"], token_logprobs=[None, -9.0, -2.0, -9.0]
    )
    assert those_after(len("Prompt\n"), "Prompt\noutput", found) == [-2.0]


def test_an_echo_without_the_output_is_refused() -> None:
    found = SimpleNamespace(tokens=["Pro"], token_logprobs=[None])
    with pytest.raises(EvaluationFailed, match="no token of the output was scored"):
        those_after(3, "Prooutput", found)


@pytest.fixture
def url() -> Iterator[str]:
    with serving() as address:
        yield address


def test_a_served_model_is_scored_over_its_output_alone(url: str) -> None:
    model = ServedModel(url, "known", "key", TASK)
    assert model.score("a long prompt", ["aa bbbb", "c"]) == [-3, -1]
    assert model.write("a prompt", 5) == " more"


def test_a_model_that_is_not_there_ends_in_one_message(url: str) -> None:
    with pytest.raises(EvaluationFailed, match=r"did not answer for 'nobody'.*GET /v1/models"):
        ServedModel(url, "nobody", "key", TASK).write("a prompt", 5)
