"""Evaluations during a run: the best adapter is kept, patience ends the run, diverging names the row."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from adapters.store import Store
from tests.training.tiny_base import write_recipe, write_sums
from tests.training.tiny_models import examples, tiny_model
from training.batches import Part
from training.divergence import culprits, refuse_guessing
from training.errors import RunDiverged
from training.examining import cut
from training.forward import part_loss
from training.job import Finding
from training.progress import Watch
from training.sft import main


def test_a_finding_is_better_by_its_score_and_then_by_its_loss() -> None:
    assert Finding(1, 2.0, 0.5).better_than(Finding(0, 1.0, 0.4))
    assert Finding(1, 0.9, 0.5).better_than(Finding(0, 1.0, 0.5))
    assert not Finding(1, 1.0, 0.5).better_than(Finding(0, 1.0, 0.5))
    assert Finding(1, 0.9, None).better_than(Finding(0, 1.0, None))


def test_an_answer_ends_at_the_first_of_its_stop_strings() -> None:
    assert cut("a # b ; c", [";", "#"]) == "a "
    assert cut("abc", ["x"]) == "abc"
    assert cut("abc", ()) == "abc"


def test_the_rows_that_have_no_number_are_found() -> None:
    rows = examples(9, 12, 8)
    model = tiny_model("llama").get_base_model()

    def loss(model: torch.nn.Module, part: Part) -> torch.Tensor:
        poison = float("nan") if 3 in part.lines else 1.0
        return part_loss(model, part) * poison

    assert culprits(model, rows, loss) == [3]
    assert culprits(model, rows, part_loss) == [2, 3, 4]


def test_a_gradient_without_number_is_found_though_the_loss_has_one() -> None:
    rows = examples(9, 12, 8)
    model = tiny_model("llama").get_base_model()

    def loss(model: torch.nn.Module, part: Part) -> torch.Tensor:
        value = part_loss(model, part)
        return value + (value - value).sqrt() * 0 if 4 in part.lines else value

    assert culprits(model, rows, loss) == [4]


def test_worse_than_guessing_is_borne_for_a_while() -> None:
    refuse_guessing([9.0] * 7, 300, 0.1)
    refuse_guessing([9.0] * 7 + [1.0], 300, 0.1)
    with pytest.raises(RunDiverged, match="try a tenth"):
        refuse_guessing([9.0] * 8, 300, 0.1)


def test_the_time_told_after_20_steps_is_within_a_quarter_though_these_hold_the_long_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    from training.job import StepReport

    now = [0.0]
    monkeypatch.setattr("training.progress.time.monotonic", lambda: now[0])
    planned = [600] * 15 + [200] * 485
    watch = Watch(Console(), planned)
    with watch.showing():
        for step, tokens in enumerate(planned, start=1):
            # A part of a step takes its time whatever its rows are, the rest goes with the tokens.
            now[0] += 0.1 + 0.01 * tokens
            watch(StepReport(step, 1.0, tokens))
    told = re.search(r"After 20 steps: about (\d+) min in all", capsys.readouterr().out)
    assert told
    assert 60 * int(told[1]) == pytest.approx(now[0], rel=0.25)


@pytest.mark.training
class TestRun:
    def recipe(self, folder: Path, base: Path) -> list[str]:
        recipe = write_recipe(folder, base, write_sums(folder / "rows.csv"))
        held_out = write_sums(folder / "held-out.csv", start=7)
        evaluated = ["--eval-rows", str(held_out), "--eval-every-steps", "2", "--eval-answers", "3"]
        return ["--recipe", str(recipe), *evaluated]

    def test_the_best_adapter_is_published_and_patience_ends_the_run(
        self, tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        # So high a rate that held-out rows soon get worse.
        flags = ["--learning-rate", "0.05", "--schedule", "constant", "--epochs", "20"]
        assert main([*self.recipe(tmp_path, tiny_base), *flags, "--early-stopping", "3"]) == 0
        out = capsys.readouterr().out
        lines = (tmp_path / "run" / "evaluations.jsonl").read_text().splitlines()
        found = [Finding(**json.loads(line)) for line in lines]
        assert len(found) * 2 < 100
        version = Store(tmp_path / "store").resolve("sums@1")
        kept = version.manifest.training["kept_step"]
        best = min(found, key=lambda each: (-(each.score or 0), each.loss))
        assert kept == best.step == found[-4].step
        assert version.manifest.training["held_out_loss"] == pytest.approx(best.loss, abs=1e-4)
        assert "Held out after step 2: loss" in out
        assert "answered: " in out
        published = load_file(version.path / "adapter_model.safetensors")
        for name, tensor in load_file(
            tmp_path / "run" / "best" / "adapter_model.safetensors"
        ).items():
            assert torch.equal(published[name], tensor)
        assert "| step | loss | score |" in (version.path / "README.md").read_text()

    def test_evaluation_changes_nothing_of_the_training(
        self, tmp_path: Path, tiny_base: Path
    ) -> None:
        arguments = self.recipe(tmp_path, tiny_base)
        dropout = ["--dropout", "0.1"]
        assert main([*arguments, *dropout]) == 0
        plain = [*arguments[:2], *dropout, "--run-dir", str(tmp_path / "plain")]
        assert main(plain) == 0
        logs = [(tmp_path / name / "steps.jsonl").read_text() for name in ("run", "plain")]
        assert logs[0] == logs[1]

    def test_trackers_are_told(self, tmp_path: Path, tiny_base: Path) -> None:
        pytest.importorskip("tensorboard", reason="the tracker is an extra")
        assert main([*self.recipe(tmp_path, tiny_base)[:2], "--report-to", "[tensorboard]"]) == 0
        assert list((tmp_path / "run").rglob("events.out.tfevents*"))

    def test_a_row_that_has_no_number_stops_the_run_and_is_named(
        self,
        tmp_path: Path,
        tiny_base: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        from training import fitting

        def poisoned(model: torch.nn.Module, part: Part) -> torch.Tensor:
            return part_loss(model, part) * (float("inf") if 18 in part.lines else 1.0)

        monkeypatch.setattr(fitting, "part_loss", poisoned)
        assert main(self.recipe(tmp_path, tiny_base)[:2]) == 2
        message = capsys.readouterr().err
        assert "on the rows at lines 18 of the file" in message
        assert not list((tmp_path / "store").rglob("versions/*"))
