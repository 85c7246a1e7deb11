"""What held-out rows say of a model, at intervals of a run: loss, score, samples; the best is kept.

Every evaluation is a line of `evaluations.jsonl` in the run directory, so a resumed run knows of it.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from peft import PeftModel
from torch import Tensor, nn

from training import checkpoints, generating, processes
from training.batches import Part, make_parts
from training.job import Finding, HeldOut, Questions
from training.prompts import Tokenizer

Loss = Callable[[nn.Module, Part], Tensor]
Tell = Callable[[Finding, list[str]], None]
SAMPLES = 3


class Examiner:
    """Evaluates a model when it is time, and remembers what came of it.

    Args:
        held_out: What to measure on, and when.
        run_dir: Keeps the log, and the best adapter as `best`.
        tokenizer: Of the base model.
        loss: Sum over a part.
        weight: What the sum over all examples is divided by.
        max_tokens: Tokens in memory at once.
        steps_done: Of the checkpoint that the run goes on from.
        tell: Told every finding, with sample answers.
    """

    def __init__(  # noqa: PLR0913 - plain values, each of one kind
        self,
        held_out: HeldOut,
        run_dir: Path,
        tokenizer: Tokenizer,
        *,
        loss: Loss,
        weight: int,
        max_tokens: int,
        steps_done: int,
        tell: Tell,
    ) -> None:
        self._held_out = held_out
        self._run_dir = run_dir
        self._tokenizer = tokenizer
        self._loss = loss
        self._weight = weight
        self._max_tokens = max_tokens
        self._tell = tell
        self._path = run_dir / "evaluations.jsonl"
        self.findings = [each for each in _read(self._path) if each.step <= steps_done]
        if processes.is_writer():
            self._path.write_text("".join(map(_line, self.findings)), encoding="utf-8")

    def due(self, step: int, last_step: int) -> bool:
        """Whether to examine after a step."""
        every = self._held_out.every_steps
        return step == last_step or (every is not None and step % every == 0)

    def examine(self, model: PeftModel, step: int) -> None:
        """Evaluate a model after a step; keep it if it is the best so far."""
        loss = mean_loss(model, self._held_out, self._loss, self._weight, self._max_tokens)
        questions = self._held_out.questions
        score, samples = (None, []) if questions is None else self._ask(model, questions)
        finding = processes.agree(Finding(step, loss, score))
        is_best = all(finding.better_than(earlier) for earlier in self.findings)
        self.findings.append(finding)
        if processes.is_writer():
            if is_best:
                checkpoints.replace_directory(self._run_dir / "best", model.save_pretrained)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(finding))
            self._tell(finding, samples)
        processes.wait()

    @property
    def best(self) -> Finding:
        """The earliest finding that none is better than."""
        best = self.findings[0]
        for finding in self.findings[1:]:
            best = finding if finding.better_than(best) else best
        return best

    @property
    def exhausted(self) -> bool:
        """Whether the last evaluations were all no better than an earlier one."""
        patience = self._held_out.patience
        if patience is None or not self.findings:
            return False
        return len(self.findings) - 1 - self.findings.index(self.best) >= patience

    def _ask(self, model: PeftModel, questions: Questions) -> tuple[float, list[str]]:
        eos = self._tokenizer.eos_token_id
        found = generating.generate(
            model,
            questions.prompts,
            max_tokens=questions.max_answer_tokens,
            eos=0 if eos is None else eos,
        )
        answers = [cut(self._tokenizer.decode(ids), questions.stop) for ids in found]
        return questions.score(answers), answers[:SAMPLES]


def mean_loss(
    model: PeftModel, held_out: HeldOut, loss: Loss, weight: int, max_tokens: int
) -> float:
    """Mean loss over held-out examples, without training on them."""
    model.eval()
    base = model.get_base_model()
    total = torch.zeros((), device=base.device)
    with torch.no_grad():
        for part in make_parts(held_out.examples, max_tokens):
            total += loss(base, part.to(base.device))
    return float(total) / max(weight, 1)


def cut(answer: str, stop: Sequence[str]) -> str:
    """An answer up to the first of its stop strings."""
    ends = [answer.find(each) for each in stop if each in answer]
    return answer[: min(ends)] if ends else answer


def _read(path: Path) -> list[Finding]:
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(Finding(**json.loads(line)))
        except ValueError:
            # A killed process may leave the last line unfinished.
            break
    return found


def _line(finding: Finding) -> str:
    return json.dumps(finding._asdict()) + "\n"
