"""Probes, plots and the choice of number type."""

from pathlib import Path

import pytest
import torch

from training import hardware
from training.plot import plot_losses, running_mean
from training.progress import duration
from training.publish import MAX_PROBE_CHARACTERS, choose_probes, run_facts


def test_probes_are_few_short_different_and_always_the_same() -> None:
    prompts = [f"{'x' * length} {length % 7}" for length in range(3, 300)]
    probes = choose_probes(prompts)
    assert probes == choose_probes(list(reversed(prompts)))
    assert len(set(probes)) == 4
    assert max(map(len, probes)) < 160
    assert choose_probes(["a", "a"]) == ["a"]
    assert choose_probes(["x" * (MAX_PROBE_CHARACTERS + 1)]) == []


def test_run_facts_name_the_packages_that_decide_the_result() -> None:
    facts = run_facts(seed=3, seconds=1.26, hardware="a machine")
    assert facts.seconds == 1.3
    assert {"python", "torch", "transformers", "peft", "trl"} <= set(facts.packages)


def test_the_same_losses_give_the_same_picture(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        plot_losses([3.0, 2.0, 1.5], tmp_path / name, title="t", held_out=[(2, 1.8), (3, 1.7)])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    plot_losses([3.0], tmp_path / "one.png", title="t", held_out=[])
    assert (tmp_path / "one.png").stat().st_size < 100_000


def test_the_running_mean_is_over_a_twentieth_of_the_run() -> None:
    assert running_mean([3.0, 1.0]) == [3.0, 1.0]
    assert running_mean([float(i) for i in range(40)])[-1] == 38.5


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (600, "10 min"), (7200, "2.0 h")]
)
def test_durations_are_said_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("native", "single", "half", "expected"),
    [
        (True, 1.0, 3.0, "bfloat16"),
        (True, 1.0, 1.1, "float32"),
        (False, 1.0, 3.0, "float32"),
    ],
)
def test_bfloat16_is_chosen_where_it_is_native_and_measured_to_be_faster(
    monkeypatch: pytest.MonkeyPatch, native: bool, single: float, half: float, expected: str
) -> None:
    speeds = iter([single, half])
    monkeypatch.setattr(hardware, "_measure", lambda *_: next(speeds))
    monkeypatch.setattr(hardware, "_has_native_bfloat16", lambda _: native)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    chosen = hardware.choose_compute("auto", 1)
    assert (chosen.device, chosen.dtype) == ("cpu", expected)
    assert chosen.flops_per_s == (half if expected == "bfloat16" else single)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_the_recipe_says_is_obeyed(dtype: str) -> None:
    chosen = hardware.choose_compute(dtype, 1)
    assert (chosen.dtype, chosen.reason) == (dtype, "as the recipe says")
    assert chosen.flops_per_s > 0


def test_the_machine_is_described() -> None:
    assert "cores" in hardware.describe("cpu")
    assert hardware.free_memory_bytes("cpu") > 0
    assert hardware.usable_cores() >= 1
