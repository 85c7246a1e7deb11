"""A model behind an OpenAI-compatible service, as `/v1/completions` shows it: texts and their likelihood.

Prompts are worded here, as training words them; the service gets plain text.
"""

from collections.abc import Sequence
from typing import Any

from openai import APIError, OpenAI

from training.asking import api_url
from training.errors import EvaluationFailed
from training.tasks import PLACEHOLDER, Task


class ServedModel:
    """A model behind a service.

    Args:
        url: The service.
        model: The name to ask for.
        api_key: Its key.
        task: How prompts are worded.
        beginning: Text before every prompt, for models used to a beginning-of-text token.
    """

    def __init__(
        self, url: str, model: str, api_key: str, task: Task, *, beginning: str = ""
    ) -> None:
        self.name = model
        self._url = url
        self._before, self._after = task.prompt.split(PLACEHOLDER)
        self._before = beginning + self._before
        self._client = OpenAI(base_url=api_url(url), api_key=api_key, timeout=300.0)

    def score(self, prompt: str, outputs: Sequence[str]) -> list[float]:
        """Mean log-probability per token of each output after the prompt, in nats.

        Raises:
            EvaluationFailed: The service does not answer or gives no log-probabilities.
        """
        found = [self.log_probabilities(prompt, output) for output in outputs]
        return [sum(each) / len(each) for each in found]

    def log_probabilities(self, prompt: str, output: str) -> list[float]:
        """Log-probability of each token of an output after the prompt, in nats.

        Raises:
            EvaluationFailed: The service does not answer or gives no log-probabilities.
        """
        rendered = self._render(prompt)
        reply = self._ask(rendered + output, echo=True, logprobs=1, max_tokens=1)
        found = reply.choices[0].logprobs
        if found is None or not found.tokens or found.token_logprobs is None:
            raise EvaluationFailed(
                f"{self._url} gave no log-probabilities for {self.name!r}; expected them with "
                "echo=true and logprobs=1. Use a service that gives them, or --base"
            )
        return those_after(len(rendered), rendered + output, found)

    def write(self, prompt: str, max_tokens: int) -> str:
        """Answer greedily.

        Raises:
            EvaluationFailed: The service does not answer.
        """
        return self.draw(prompt, max_tokens)[0]

    def draw(self, prompt: str, max_tokens: int, **sampling: Any) -> tuple[str, bool]:  # noqa: ANN401 - fields of the API
        """Answer, and say whether the answer ended before its limit of tokens.

        Raises:
            EvaluationFailed: The service does not answer.
        """
        reply = self._ask(self._render(prompt), max_tokens=max_tokens, **sampling)
        choice = reply.choices[0]
        return str(choice.text), choice.finish_reason == "stop"

    def _render(self, prompt: str) -> str:
        return f"{self._before}{prompt}{self._after}"

    def _ask(self, text: str, **options: Any) -> Any:  # noqa: ANN401 - fields of the API
        try:
            return self._client.completions.create(
                model=self.name, prompt=text, **{"temperature": 0.0, **options}
            )
        except APIError as error:
            raise EvaluationFailed(
                f"{self._url} did not answer for {self.name!r}: {error}. Expected a running service "
                "with that model. Start it, or ask GET /v1/models for the names"
            ) from error


def those_after(start: int, text: str, found: Any) -> list[float]:  # noqa: ANN401 - the API's logprobs
    """Log-probabilities of the tokens of a text that reach beyond a place.

    Args:
        start: Characters of the prompt.
        text: Prompt and output.
        found: `tokens` and `token_logprobs` of the echoed text and of one token after it.

    Raises:
        EvaluationFailed: No token of the output is among them.
    """
    echoed = found.tokens[:-1]
    # A service may put a beginning-of-text token first, which is no part of the text.
    place, kept = len(text) - sum(map(len, echoed)), list[float]()
    for token, value in zip(echoed, found.token_logprobs, strict=False):
        place += len(token)
        if place > start and value is not None:
            kept.append(value)
    if not kept:
        raise EvaluationFailed(
            "no token of the output was scored; expected echoed tokens that join to the prompt and "
            "output. Shorten the prompt, or use --base"
        )
    return kept
