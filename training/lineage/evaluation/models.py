"""The model under evaluation: how likely it finds a text, and what it writes.

Behind an OpenAI-compatible service (`training.served_text`), or loaded in this process. Everything
else in this package knows neither.
"""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from training.command import quieten
from training.preparing import load_tokenizer
from training.prompts import word
from training.tasks import TASKS

TASK = TASKS["evolution"]


class Model(Protocol):
    """What evaluation asks of a model."""

    name: str

    def score(self, prompt: str, outputs: Sequence[str]) -> list[float]:
        """Mean log-probability per token of each output after the prompt, in nats."""

    def write(self, prompt: str, max_tokens: int) -> str:
        """Answer greedily."""


class LocalModel:
    """A base model in this process, with an adapter or without."""

    def __init__(self, base_dir: Path, adapter_dir: Path | None, name: str) -> None:
        # Seconds and hundreds of megabytes, which no other command of the package needs.
        import torch  # noqa: PLC0415
        import transformers  # noqa: PLC0415

        quieten()
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
