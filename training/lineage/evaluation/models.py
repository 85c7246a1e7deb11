"""The model under evaluation: how likely it finds a text, and what it writes.

Behind an OpenAI-compatible service (`/v1/completions` with echo and log-probabilities), or loaded in
this process. Everything else in this package knows neither.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from openai import APIError, OpenAI

from training.errors import EvaluationFailed
from training.preparing import load_tokenizer
from training.prompts import word
from training.tasks import PLACEHOLDER, TASKS

TASK = TASKS["evolution"]


class Model(Protocol):
    """What evaluation asks of a model."""

    name: str

    def score(self, prompt: str, outputs: Sequence[str]) -> list[float]:
        """Mean log-probability per token of each output after the prompt, in nats."""

    def write(self, prompt: str, max_tokens: int) -> str:
        """Answer greedily."""


class ServedModel:
    """A model behind a service.

    Args:
        url: The service.
        model: The name to ask for.
        api_key: Its key.
        beginning: Text before every prompt, for models used to a beginning-of-text token.
    """

    def __init__(self, url: str, model: str, api_key: str, beginning: str = "") -> None:
        self.name = model
        self._url = url
        self._before, self._after = TASK.prompt.split(PLACEHOLDER)
        self._before = beginning + self._before
        self._client = OpenAI(
            base_url=url.rstrip("/").removesuffix("/v1") + "/v1", api_key=api_key, timeout=300.0
        )

    def score(self, prompt: str, outputs: Sequence[str]) -> list[float]:
        """See the protocol.

        Raises:
            EvaluationFailed: The service does not answer or gives no log-probabilities.
        """
        rendered = self._render(prompt)
        scores = []
        for output in outputs:
            reply = self._ask(rendered + output, echo=True, logprobs=1, max_tokens=1)
            found = reply.choices[0].logprobs
            if found is None or not found.tokens or found.token_logprobs is None:
                raise EvaluationFailed(
                    f"{self._url} gave no log-probabilities for {self.name!r}; expected them with "
                    "echo=true and logprobs=1. Use a service that gives them, or --base"
                )
            scores.append(mean_after(len(rendered), rendered + output, found))
        return scores

    def write(self, prompt: str, max_tokens: int) -> str:
        """See the protocol.

        Raises:
            EvaluationFailed: The service does not answer.
        """
        reply = self._ask(self._render(prompt), max_tokens=max_tokens)
        return str(reply.choices[0].text)

    def _render(self, prompt: str) -> str:
        return f"{self._before}{prompt}{self._after}"

    def _ask(self, text: str, **options: Any) -> Any:  # noqa: ANN401 - fields of the API
        try:
            return self._client.completions.create(
                model=self.name, prompt=text, temperature=0.0, **options
            )
        except APIError as error:
            raise EvaluationFailed(
                f"{self._url} did not answer for {self.name!r}: {error}. Expected a running service "
                "with that model. Start it, or ask GET /v1/models for the names"
            ) from error


def mean_after(start: int, text: str, found: Any) -> float:  # noqa: ANN401 - the API's logprobs
    """Mean log-probability of the tokens of a text that reach beyond a place.

    Args:
        start: Characters of the prompt.
        text: Prompt and output.
        found: `tokens` and `token_logprobs` of the echoed text and of one token after it.

    Raises:
        EvaluationFailed: No token of the output is among them.
    """
    echoed = found.tokens[:-1]
    # A service may put a beginning-of-text token first, which is no part of the text.
    place, kept = len(text) - sum(map(len, echoed)), []
    for token, value in zip(echoed, found.token_logprobs, strict=False):
        place += len(token)
        if place > start and value is not None:
            kept.append(value)
    if not kept:
        raise EvaluationFailed(
            "no token of the output was scored; expected echoed tokens that join to the prompt and "
            "output. Shorten the prompt, or use --base"
        )
    return float(sum(kept) / len(kept))


class LocalModel:
    """A base model in this process, with an adapter or without."""

    def __init__(self, base_dir: Path, adapter_dir: Path | None, name: str) -> None:
        # Seconds and hundreds of megabytes, which no other command of the package needs.
        import torch  # noqa: PLC0415
        import transformers  # noqa: PLC0415

        transformers.logging.disable_progress_bar()
        self.name = name
        self._torch = torch
        self._tokenizer: Any = load_tokenizer(base_dir)
        self._render = word(TASK, self._tokenizer).render
        model = transformers.AutoModelForCausalLM.from_pretrained(
            base_dir, dtype=torch.float32, local_files_only=True
        )
        if adapter_dir is not None:
            from peft import PeftModel  # noqa: PLC0415

            model = PeftModel.from_pretrained(model, adapter_dir)
        self._model: Any = model.eval()

    def score(self, prompt: str, outputs: Sequence[str]) -> list[float]:
        """See the protocol; the prompt is run once for all outputs."""
        torch = self._torch
        ids = torch.tensor([self._ids(self._render(prompt))])
        scores = []
        with torch.inference_mode():
            told = self._model(ids, use_cache=True, logits_to_keep=1)
            for output in outputs:
                after = self._ids(output)
                # Running on changes the cache, which the next output needs as it was.
                cache = copy.deepcopy(told.past_key_values)
                rest = self._model(torch.tensor([after]), past_key_values=cache).logits[0, :-1]
                logits = torch.cat([told.logits[0, -1:], rest])
                chosen = torch.log_softmax(logits, -1)[range(len(after)), after]
                scores.append(float(chosen.mean()))
        return scores

    def write(self, prompt: str, max_tokens: int) -> str:
        """See the protocol."""
        torch = self._torch
        ids = torch.tensor([self._ids(self._render(prompt))])
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=max_tokens,
                do_sample=False,
                pad_token_id=self._tokenizer.eos_token_id,
            )
        return str(self._tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True))

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return found
