"""Who continues a story: a base model and its adapters in this process, or models of a service."""

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from peft import PeftModel

from training import generating
from training.batches import make_parts
from training.encode import Example, encode, find_unfit
from training.errors import EvaluationFailed
from training.forward import row_losses
from training.hardware import choose_compute, usable_cores
from training.loading import load_base
from training.novels.evaluation.writing import Sampling, Writer, Written
from training.preparing import load_tokenizer
from training.prompts import word
from training.rows import Row
from training.served_text import ServedModel
from training.tasks import TASKS

TASK = TASKS["continuation"]
MAX_TOKENS_AT_ONCE = 2048
QUESTIONS_AT_ONCE = 8


class Bench:
    """A base model in memory with adapters on it, one of which writes at a time.

    Args:
        base_dir: The base model.
        base_name: What to call it.
        adapters: Directories of adapters, by name.
    """

    def __init__(self, base_dir: Path, base_name: str, adapters: dict[str, Path]) -> None:
        self._tokenizer = load_tokenizer(base_dir)
        self._render = word(TASK, self._tokenizer).render
        # Torch knows how many threads the environment allows.
        threads = min(usable_cores(), torch.get_num_threads())
        compute = choose_compute("float32", threads)
        self.model = load_base(base_dir, compute.device, compute.dtype, None)
        for name, path in adapters.items():
            # PEFT keeps adapters as modules, whose names have no dots.
            if isinstance(self.model, PeftModel):
                self.model.load_adapter(str(path), name.replace(".", "_"))
            else:
                self.model = PeftModel.from_pretrained(self.model, path, name.replace(".", "_"))
        self.model.eval()
        self.writers: list[Writer] = [
            _LocalWriter(self, base_name, None),
            *(_LocalWriter(self, name, name.replace(".", "_")) for name in adapters),
        ]

    @contextlib.contextmanager
    def wearing(self, adapter: str | None) -> Iterator[None]:
        """Let one adapter write, or the base alone."""
        if adapter is not None:
            self.model.set_adapter(adapter)
            yield
        elif isinstance(self.model, PeftModel):
            with self.model.disable_adapter():
                yield
        else:
            yield

    def nats(self, rows: Sequence[Row]) -> list[float]:
        """See the protocol.

        Raises:
            EvaluationFailed: A row does not fit.
        """
        examples = encode(rows, self._tokenizer, self._render)
        unfit = find_unfit(rows, examples, self._tokenizer, self._room())
        if unfit:
            raise EvaluationFailed(
                f"{len(unfit)} row(s) cannot be measured, the first: {next(iter(unfit.values()))}. "
                "Expected rows as for training. Mend or remove them."
            )
        base = self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model
        found: dict[int, float] = {}
        with torch.inference_mode():
            for part in make_parts([_without_end(each) for each in examples], MAX_TOKENS_AT_ONCE):
                losses = row_losses(base, part.to(base.device)).tolist()
                found |= zip(part.lines, losses, strict=True)
        return [found[row.line] for row in rows]

    def write(
        self, prompts: Sequence[str], sampling: Sampling, max_tokens: int, seed: int
    ) -> list[Written]:
        """See the protocol.

        Raises:
            EvaluationFailed: A prompt leaves no room for so many tokens.
        """
        texts = [self._render(prompt) for prompt in prompts]
        ids = self._tokenizer(texts, add_special_tokens=False)["input_ids"]
        longest = max(map(len, ids))
        if longest + max_tokens > self._room():
            raise EvaluationFailed(
                f"an opening of {longest} tokens and {max_tokens} more do not fit into the "
                f"{self._room()} that the base model was made for. Lower --max-tokens."
            )
        drawing = generating.Drawing(sampling.temperature, sampling.top_p, seed)
        found = generating.generate(
            self.model,
            ids,
            max_tokens=max_tokens,
            eos=self._tokenizer.eos_token_id or 0,
            drawing=drawing if sampling.temperature else None,
        )
        return [Written(self._tokenizer.decode(each), len(each) < max_tokens) for each in found]

    def _room(self) -> int:
        return int(getattr(self.model.config, "max_position_embeddings", MAX_TOKENS_AT_ONCE))


def _without_end(example: Example) -> Example:
    """The base never learnt where these pieces end, so that one token says nothing of the text."""
    return Example(example.line, example.input_ids[:-1], example.labels[:-1])


class _LocalWriter:
    def __init__(self, bench: Bench, name: str, adapter: str | None) -> None:
        self.name = name
        self._bench = bench
        self._adapter = adapter

    def nats(self, rows: Sequence[Row]) -> list[float]:
        with self._bench.wearing(self._adapter):
            return self._bench.nats(rows)

    def write(
        self, prompts: Sequence[str], sampling: Sampling, max_tokens: int, seed: int
    ) -> list[Written]:
        with self._bench.wearing(self._adapter):
            return self._bench.write(prompts, sampling, max_tokens, seed)


class ServedWriter:
    """A model of a service; `/v1/completions` with echo and log-probabilities."""

    def __init__(self, url: str, model: str, api_key: str) -> None:
        self.name = model
        self._model = ServedModel(url, model, api_key, TASK)

    def nats(self, rows: Sequence[Row]) -> list[float]:
        """See the protocol."""
        with ThreadPoolExecutor(QUESTIONS_AT_ONCE) as pool:
            found = pool.map(
                lambda row: self._model.log_probabilities(row.prompt, row.output), rows
            )
            return [-sum(each) for each in found]

    def write(
        self, prompts: Sequence[str], sampling: Sampling, max_tokens: int, seed: int
    ) -> list[Written]:
        """See the protocol."""
        drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": seed}
        with ThreadPoolExecutor(QUESTIONS_AT_ONCE) as pool:
            found = pool.map(lambda prompt: self._model.draw(prompt, max_tokens, **drawn), prompts)
            return [Written(*each) for each in found]
