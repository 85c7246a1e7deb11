"""A plan adds up, says what does not fit, and agrees with figures worked out by hand."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from basemodels import CATALOGUE, BaseModelError
from basemodels.cli import main
from basemodels.devices import Device, device
from basemodels.listing import find_sizes, plans
from basemodels.planning import Wish, plan
from basemodels.sizes import sizes_of, weight_bytes
from service.settings import Settings

CARD = device("4090")
LLAMA = sizes_of(CATALOGUE["llama-3-8b"].config)


def test_llama_3_8b_costs_what_its_shape_says() -> None:
    # 32 layers, 8 heads of 128 for keys and as many for values, two bytes each.
    assert LLAMA.kv_per_token * 2 == 131_072
    # q and o 4096+4096, k and v 4096+1024, gate and up 4096+14336, down 14336+4096.
    assert LLAMA.lora_per_rank == 32 * (2 * 8192 + 2 * 5120 + 3 * 18_432)
    assert weight_bytes(LLAMA, "bfloat16") == 16_060_522_496
    # Dettmers et al.: 4.127 bits for each weight of a linear layer, 16 bits for the rest.
    assert weight_bytes(LLAMA, "nf4") == pytest.approx(6.98e9 * 4.127 / 8 + 1.05e9 * 2, rel=2e-3)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_model_trains_with_qlora_and_is_served_on_a_24_gb_card(name: str) -> None:
    served, lora, qlora = plans(sizes_of(CATALOGUE[name].config), CARD, Wish())
    assert served.fits
    assert qlora.fits
    for each in (served, lora, qlora):
        assert each.needed_bytes == sum(part.size_bytes for part in each.parts)
        assert each.fits == (each.needed_bytes <= each.limit_bytes)


def test_the_flags_that_a_plan_names_are_those_of_the_service() -> None:
    known = {"--" + name.replace("_", "-") for name in Settings.model_fields}
    tight = replace(CARD, gpu_bytes=20 << 30)
    notes = [
        note
        for base in ("llama-3-8b", "gemma-7b-it")
        for each in (CARD, tight)
        for note in plan(sizes_of(CATALOGUE[base].config), "serve", each, Wish()).notes
    ]
    named = {flag for note in notes for flag in re.findall(r"--[a-z-]+", note)}
    assert {"--max-docked-versions", "--max-lora-rank", "--max-context-tokens"} <= named <= known


def test_fifteen_billion_weights_are_served_from_eight_bits_and_not_trained_in_sixteen() -> None:
    served, lora, qlora = plans(sizes_of(CATALOGUE["starcoder"].config), CARD, Wish())
    assert (served.dtype, lora.fits, qlora.fits) == ("fp8", False, True)
    assert "too little memory" in lora.lacking[0]


def test_a_context_that_does_not_fit_is_cut_and_the_flag_is_said() -> None:
    small = Device("small", 18 << 30, 32 << 30, 10**12, half_precision=True)
    served = plan(LLAMA, "serve", small, Wish(adapters=1))
    assert not served.fits
    assert "no room for a KV cache" in served.notes[0]
    larger = Device("larger", 20 << 30, 32 << 30, 10**12, half_precision=True)
    served = plan(LLAMA, "serve", larger, Wish(adapters=1))
    assert served.fits
    assert "--max-context-tokens" in served.notes[0]
    flags = re.findall(r"--([a-z-]+)", " ".join(served.notes))
    assert len(flags) == 3
    assert {flag.replace("-", "_") for flag in flags} <= Settings.model_fields.keys()


def test_more_adapters_and_higher_rank_cost_in_proportion() -> None:
    def adapters_bytes(wish: Wish) -> int:
        parts = plan(LLAMA, "serve", CARD, wish).parts
        return next(part.size_bytes for part in parts if part.name == "adapters")

    one = adapters_bytes(Wish(adapters=1, rank=8))
    assert adapters_bytes(Wish(adapters=6, rank=16)) == 12 * one


def test_too_little_disk_and_main_memory_are_said() -> None:
    poor = Device("poor", 24 << 30, 1 << 30, 10**9, half_precision=True)
    lacking = plan(LLAMA, "serve", poor, Wish()).lacking
    assert [text.split(" GB ")[1] for text in lacking] == [
        "too little main memory",
        "too little disk",
    ]


def test_a_directory_with_a_configuration_alone_can_be_planned_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CATALOGUE["falcon-7b"].config))
    assert find_sizes(str(tmp_path)).parameters == CATALOGUE["falcon-7b"].parameters


def test_a_model_or_device_nobody_knows_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "llama-9", "--device", "4090"]) == 2
    assert "'llama-9'" in capsys.readouterr().err
    with pytest.raises(BaseModelError, match=r"'toaster'.*auto.*4090"):
        device("toaster")


def test_programs_read_the_same_plan_as_people(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plan", "gpt2", "--device", "4090", "--adapters", "3", "--context", "512"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["use"] for each in document["plans"]] == ["serve", "lora", "qlora"]
    assert f"{document['plans'][0]['needed_bytes'] / 1e9:.2f} GB" in text


def test_the_list_says_what_fits_for_every_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json", "--device", "4090"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["id"] for row in rows} == {entry.hub_id for entry in CATALOGUE.values()}
    assert all(set(row["fits"]) == {"serve", "lora", "qlora"} for row in rows)
    assert main(["list", "--device", "4090"]) == 0
    assert "starcoder" in capsys.readouterr().out


def test_this_machine_is_described_without_a_gpu_library(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show", "gpt2"]) == 0
    assert json.loads(capsys.readouterr().out)["lora_targets"] == ["c_attn", "c_fc", "c_proj"]
    here = device("auto")
    assert here.ram_bytes > 0
    assert here.disk_bytes > 0
