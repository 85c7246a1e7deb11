"""Bases in 4 and 8 bit: they train, evaluation does not break training, and what is asked is checked."""

import dataclasses
from pathlib import Path

import pytest
import torch

from adapters import gate
from adapters.store import Store
from configuration import load
from tests.training.tiny_base import build_tiny_llama, write_recipe, write_sums
from tests.training.tiny_models import examples
from training.batches import make_parts
from training.errors import RunRefused
from training.forward import part_loss
from training.loading import load_base, load_model
from training.planning import make_plan
from training.recipe import Recipe
from training.requirements import require_all
from training.sft import main

# bitsandbytes says that its CPU kernels are slow.
pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore:MatMul8bitLt. inputs will be cast"),
]


def plan_of(folder: Path, base: Path, *flags: str):  # type: ignore[no-untyped-def]
    recipe = write_recipe(folder, base, write_sums(folder / "rows.csv"))
    arguments = ["--recipe", str(recipe), *flags]
    return make_plan(load(Recipe, arguments, prog="sft", file_flag="--recipe"))


@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_a_quantised_base_is_close_to_the_whole_one(tiny_base: Path, bits: str) -> None:
    (part,) = make_parts(
        [
            e._replace(
                input_ids=[i % 250 for i in e.input_ids], labels=[i % 250 for i in e.input_ids]
            )
            for e in examples(30, 20)
        ],
        100,
    )
    with torch.no_grad():
        whole = part_loss(load_base(tiny_base, "cpu", "float32", None), part)
        quantised = part_loss(load_base(tiny_base, "cpu", "float32", bits).eval(), part)
    assert quantised.item() != whole.item()
    assert quantised.item() == pytest.approx(whole.item(), rel=0.1)


@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_gradients_are_the_same_after_an_evaluation(
    tmp_path: Path, tiny_base: Path, bits: str
) -> None:
    job = plan_of(tmp_path, tiny_base, "--quantise", bits).job
    model = load_model(job)
    parts = make_parts(job.examples[:6], 10_000)
    norms = []
    for _ in range(2):
        model.train()
        torch.autograd.backward(part_loss(model.get_base_model(), parts[0]))
        norms.append({n: w.grad.clone() for n, w in model.named_parameters() if w.grad is not None})
        model.zero_grad()
        model.eval()
        with torch.no_grad():
            part_loss(model.get_base_model(), parts[0])
    assert any(gradient.abs().max() > 0 for gradient in norms[0].values())
    for name, gradient in norms[0].items():
        torch.testing.assert_close(norms[1][name], gradient, msg=name)


def test_four_bit_weights_are_nf4_quantised_twice(tiny_base: Path) -> None:
    base = load_base(tiny_base, "cpu", "float32", "4bit")
    layers = [module for module in base.modules() if type(module).__name__ == "Linear4bit"]
    assert len(layers) == 14
    for layer in layers:
        assert layer.weight.quant_state.quant_type == "nf4"
        assert layer.weight.quant_state.nested
        assert layer.compute_dtype == torch.float32


@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_a_run_on_a_quantised_base_is_published(tmp_path: Path, tiny_base: Path, bits: str) -> None:
    rows, held_out = write_sums(tmp_path / "rows.csv"), write_sums(tmp_path / "held.csv", start=7)
    recipe = write_recipe(tmp_path, tiny_base, rows)
    evaluated = ["--eval-rows", str(held_out), "--eval-every-steps", "4", "--eval-answers", "2"]
    assert main(["--recipe", str(recipe), "--quantise", bits, *evaluated]) == 0
    version = Store(tmp_path / "store").resolve("sums@1")
    assert gate.check(version.path, tiny_base) == []
    training = version.manifest.training
    assert training["quantise"] == bits
    found = training["evaluations"]
    assert isinstance(found, list)
    assert [finding["step"] for finding in found] == [4, 8, 10]  # type: ignore[call-overload, index]


class TestRequirements:
    @pytest.mark.parametrize("name", ["adamw_8bit", "paged_adamw", "paged_adamw_8bit"])
    def test_optimizers_of_a_gpu_are_refused_on_a_cpu(
        self, tmp_path: Path, tiny_base: Path, name: str
    ) -> None:
        with pytest.raises(RunRefused, match=f"{name} keeps its state in memory of a GPU"):
            plan_of(tmp_path, tiny_base, "--optimizer", name)
        job = plan_of(tmp_path, tiny_base).job
        optimisation = dataclasses.replace(job.optimisation, optimizer=name)
        compute = job.compute._replace(device="cuda")
        require_all(dataclasses.replace(job, optimisation=optimisation, compute=compute))

    def test_a_device_that_is_not_there_is_refused(self, tmp_path: Path, tiny_base: Path) -> None:
        with pytest.raises(RunRefused, match="torch finds no GPU"):
            plan_of(tmp_path, tiny_base, "--device", "cuda")

    def test_a_tracker_that_is_not_installed_is_refused(
        self, tmp_path: Path, tiny_base: Path
    ) -> None:
        with pytest.raises(RunRefused, match="tracker 'neptuneX' of report_to"):
            plan_of(tmp_path, tiny_base, "--report-to", "[neptuneX]")

    def test_rows_beyond_the_positions_of_the_base_are_refused(self, tmp_path: Path) -> None:
        base = build_tiny_llama(tmp_path / "base")
        rows = tmp_path / "rows.csv"
        rows.write_text(f"prompt,output\na,{'b' * 600}\n")
        recipe = write_recipe(tmp_path, base, rows, task="instruct")
        with pytest.raises(RunRefused, match=r"line 2 has 6\d\d tokens, .* knows 512 positions"):
            make_plan(load(Recipe, ["--recipe", str(recipe)], prog="sft", file_flag="--recipe"))
