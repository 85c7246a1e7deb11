"""Preference training: pairs, the loss against TRL's own, and a run from rows to a version."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import logsigmoid

from adapters.store import Store
from tests.training.tiny_base import write_recipe, write_sums
from tests.training.tiny_models import examples, tiny_model
from training import sft
from training.batches import make_parts
from training.dpo import main
from training.forward import row_losses
from training.lora_layers import speed_up
from training.preference_loss import preference_loss, reference_margins
from training.preferences import Pair

# transformers' GPTBigCode compiles two functions with torch.jit when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")


def some_pairs() -> list[Pair]:
    rows = examples(12, 9, 15, 15, 8, 20)
    return [
        Pair(
            line,
            rows[at],
            rows[at + 1]._replace(input_ids=rows[at].input_ids[:4] + rows[at + 1].input_ids[4:]),
        )
        for line, at in ((2, 0), (3, 2), (4, 4))
    ]


def log_probability(model: torch.nn.Module, ids: list[int], prompt_tokens: int = 4) -> torch.Tensor:
    """The plain way: log-softmax over the logits, token by token."""
    logits = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    return torch.stack([logits[at - 1, ids[at]] for at in range(prompt_tokens, len(ids))]).sum()


@pytest.mark.parametrize("family", ["llama", "gpt2", "falcon"])
def test_the_loss_equals_the_formula_of_the_paper(family: str) -> None:
    pairs, beta = some_pairs(), 0.3
    plain = tiny_model(family, "eager")
    expected = torch.zeros(())
    for pair in pairs:
        policy = log_probability(plain, pair.chosen.input_ids) - log_probability(
            plain, pair.rejected.input_ids
        )
        with plain.disable_adapter(), torch.no_grad():
            reference = log_probability(plain, pair.chosen.input_ids) - log_probability(
                plain, pair.rejected.input_ids
            )
        expected = expected - logsigmoid(beta * (policy - reference))
    ours = tiny_model(family)
    speed_up(ours)
    with ours.disable_adapter():
        margins = reference_margins(ours.get_base_model(), pairs, 10_000)
    loss = preference_loss(beta, margins)
    whole = sum(
        (loss(ours.get_base_model(), part) for part in make_parts(pairs, 40)), torch.zeros(())
    )
    assert whole.item() == pytest.approx(expected.item(), abs=1e-4)
    torch.autograd.backward(whole)
    torch.autograd.backward(expected)
    wanted = {name: weight.grad for name, weight in plain.named_parameters()}
    for name, weight in ours.named_parameters():
        if weight.grad is not None:
            torch.testing.assert_close(weight.grad, wanted[name], atol=1e-4, rtol=1e-3, msg=name)


def test_a_model_that_equals_its_reference_has_a_loss_of_log_2() -> None:
    pairs = some_pairs()
    model = tiny_model("llama").get_base_model()
    loss = preference_loss(0.1, reference_margins(model, pairs, 10_000))
    (part,) = make_parts(pairs, 10_000)
    assert loss(model, part).item() / len(pairs) == pytest.approx(0.6931472, abs=1e-6)


def test_row_losses_add_up_to_the_loss_of_the_part() -> None:
    from training.forward import part_loss

    model = tiny_model("llama").get_base_model()
    (part,) = make_parts(examples(9, 17, 5), 100)
    rows = row_losses(model, part)
    assert rows.shape == (3,)
    assert rows.sum().item() == pytest.approx(part_loss(model, part).item(), abs=1e-4)


def write_preferences(path: Path) -> Path:
    lines = ["prompt,chosen,rejected"]
    lines += [f"{a} and {b}?,return {a} + {b},return {a} - {b}" for a in range(5) for b in range(4)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.training
class TestRun:
    def test_preferences_are_learned_published_and_continued(
        self, tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recipe = write_recipe(
            tmp_path, tiny_base, write_preferences(tmp_path / "rows.csv"), task="instruct"
        )
        arguments = ["--recipe", str(recipe), "--epochs", "6"]
        assert main([*arguments, "--dry-run"]) == 0
        assert "rejected: " in capsys.readouterr().out
        assert main(arguments) == 0
        version = Store(tmp_path / "store").resolve("sums@1")
        losses = [
            json.loads(line)["loss"]
            for line in (tmp_path / "run" / "steps.jsonl").read_text().splitlines()
        ]
        assert losses[0] == pytest.approx(0.6931472, abs=1e-5)
        assert losses[-1] < 0.5 * losses[0]
        assert {path.name for path in version.path.iterdir() if path.is_dir()} == set()
        again = ["--continue-from", "sums@1", "--run-dir", str(tmp_path / "again")]
        assert main([*arguments, *again]) == 0
        assert Store(tmp_path / "store").resolve("sums@2").manifest.parent == "sums@1"
        first = (tmp_path / "again" / "steps.jsonl").read_text().splitlines()[0]
        # The reference is the version that is continued, not the base.
        assert json.loads(first)["loss"] == pytest.approx(0.6931472, abs=1e-5)

    def test_wrong_answers_of_an_adapter_become_the_rejected_ones(
        self, tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        recipe = write_recipe(tmp_path, tiny_base, write_sums(tmp_path / "rows.csv"))
        assert sft.main(["--recipe", str(recipe)]) == 0
        again = ["--run-dir", str(tmp_path / "dpo"), "--continue-from", "sums@1"]
        arguments = ["--recipe", str(recipe), *again, "--rejected-from", "sums@1"]
        assert main(arguments) == 0
        kept = (tmp_path / "dpo" / "rejected.jsonl").read_text().splitlines()
        assert 0 < len(kept) <= 36
        assert "wrong answers" in capsys.readouterr().out
        assert (
            Store(tmp_path / "store").resolve("sums@2").manifest.training["rejected_from"]
            == "sums@1"
        )

    def test_a_row_without_a_rejected_answer_is_named(
        self, tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = tmp_path / "rows.csv"
        rows.write_text("prompt,chosen,rejected\na,b,c\nd,e,\nf,g,g\n")
        recipe = write_recipe(tmp_path, tiny_base, rows, task="instruct")
        assert main(["--recipe", str(recipe)]) == 2
        message = capsys.readouterr().err
        assert "line 3: there is no rejected answer" in message
        assert "line 4: chosen and rejected answer are the same" in message
