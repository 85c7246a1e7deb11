"""What is promised of a GPU, measured on one: `scripts/gpu` runs this and writes one report.

Engines, servers and training run in processes of their own, so that each leaves the card as it
found it; nothing here may itself compute on the card but what makes random weights.
"""

import asyncio
import json
import subprocess
import sys
import warnings
from pathlib import Path

import httpx
import pytest

from adapters.store import Store
from basemodels.devices import device
from basemodels.modules import read_config
from basemodels.planning import Plan, Wish, plan
from basemodels.sizes import sizes_of
from benchmarks import swap
from benchmarks._loading import stream
from benchmarks._random_adapters import make_store
from benchmarks._servers import PROMPT, VERSIONS, Server, loradock
from benchmarks.engine import ratios
from benchmarks.figures import Figure
from benchmarks.parity.report import measure_captured
from service.engine.hardware import base_facts, detect
from service.engine.profile import Wishes, choose
from tests.gpu import card
from tests.gpu.conftest import Keep
from tests.training.tiny_base import write_recipe

pytestmark = [
    pytest.mark.gpu,
    # Asking vLLM for the card imports it here, and it warns while it is imported.
    pytest.mark.filterwarnings("ignore"),
]

RANK = 16
SERVED_TOKENS = 4096
# vLLM keeps a block of the cache for itself.
SPARE_TOKENS = 128
ROWS, ROW_TOKENS, EPOCHS = 24, 1024, 3


def architectures() -> list[str]:
    """Those of the parity harness, whose list needs torch; one to be skipped without a card."""
    if not card.has_card():
        return ["every architecture"]
    with warnings.catch_warnings():
        # PEFT and torch warn while they are imported.
        warnings.simplefilter("ignore")
        from benchmarks.parity.models import ARCHITECTURES

    return [*ARCHITECTURES]


@pytest.mark.timeout(700)
@pytest.mark.parametrize("architecture", architectures())
def test_log_probabilities_are_those_of_peft_with_captured_graphs(
    architecture: str, keep: Keep
) -> None:
    found, graphs = measure_captured(architecture)
    worst = [*found.values()]
    name = f"parity of {architecture}"
    compared = sum(each["compared"] for each in worst)
    note = f"{compared:.0f} log-probabilities in {len(worst)} conditions"
    over = max(each["difference"] / each["least_effect"] for each in worst)
    keep(
        [
            Figure(name, max(each["difference"] for each in worst), "nat", note=note),
            Figure(f"{name}, over the least effect of an adapter", over, ""),
            Figure(f"{name}, top token", sum(each["other_top"] for each in worst), "other"),
            Figure(f"{name}, captured graphs", graphs, ""),
        ]
    )


@pytest.mark.timeout(900)
def test_the_service_leaves_graphs_and_compilation_on(large_base: Path, keep: Keep) -> None:
    from vllm.config import CompilationMode, CUDAGraphMode

    from service.engine.launching import engine_args

    settings = choose(detect(), base_facts(large_base), Wishes()).settings
    found = engine_args(large_base, "large", settings).create_engine_config()
    assert (settings.device, found.lora_config.max_loras) == ("cuda", settings.max_active)
    graphs, mode = found.compilation_config.cudagraph_mode, found.compilation_config.mode
    on = graphs != CUDAGraphMode.NONE and mode == CompilationMode.VLLM_COMPILE
    note = f"{mode.name}, {graphs.name}"
    keep([Figure("graphs and compilation, as the service sets them", float(on), "", note=note)])


@pytest.mark.timeout(1800)
def test_adapters_cost_little_and_the_engine_keeps_up_with_vllm(
    small_base: Path, keep: Keep
) -> None:
    keep(ratios.run(base=str(small_base)))


@pytest.mark.timeout(900)
def test_serving_takes_what_the_plan_says(large_base: Path, tmp_path: Path, keep: Keep) -> None:
    wish = Wish(adapters=VERSIONS, rank=RANK, context_tokens=SERVED_TOKENS)
    bill = plan(sizes_of(read_config(large_base)), "serve", device("auto"), wish)
    store = make_store(tmp_path / "store", large_base, VERSIONS)
    flags = [
        *("--base", str(large_base), "--store", str(store.root)),
        *("--max-docked-versions", str(VERSIONS), "--max-lora-rank", str(RANK)),
        *("--max-context-tokens", str(SERVED_TOKENS - SPARE_TOKENS)),
        *("--kv-cache-bytes", str(part_of(bill, "KV cache"))),
    ]
    before_bytes = card.used_bytes()
    with loradock("service", flags, tmp_path / "log", {}) as server:
        asyncio.run(answer_by_each_version(server))
        taken_bytes = card.used_bytes() - before_bytes
    keep([off_plan("serving a 7B in bfloat16", taken_bytes, bill.needed_bytes)])


@pytest.mark.timeout(1500)
def test_a_7b_in_4_bit_learns_in_the_memory_of_its_plan(
    large_base: Path, tmp_path: Path, keep: Keep
) -> None:
    wish = Wish(rank=RANK, row_tokens=ROW_TOKENS, batch_rows=1)
    bill = plan(sizes_of(read_config(large_base)), "qlora", device("auto"), wish)
    recipe = write_recipe(tmp_path, large_base, write_long_rows(tmp_path / "rows.csv"), "instruct")
    flags = [
        *("--quantise", "4bit", "--dtype", "bfloat16", "--device", "cuda"),
        *("--rank", str(RANK), "--alpha", str(2 * RANK), "--learning-rate", "5e-4"),
        *("--batch-rows", "4", "--max-tokens-per-batch", str(ROW_TOKENS), "--epochs", str(EPOCHS)),
    ]
    if "needs gradient checkpointing" in bill.notes:
        flags.append("--gradient-checkpointing")
    done = subprocess.run(
        [sys.executable, "-m", "training.sft", "--recipe", str(recipe), *flags],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = (tmp_path / "run" / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    facts = Store(tmp_path / "store").resolve("sums@1").manifest.training
    peak_bytes, tokens_per_s = facts["peak_memory_bytes"], facts["tokens_per_s"]
    assert isinstance(peak_bytes, int)
    assert isinstance(tokens_per_s, float)
    # The peak is of torch's own memory, which the runtime's is not.
    planned_bytes = bill.needed_bytes - part_of(bill, "runtime")
    note = f"{losses[0]:.2f} to {losses[-1]:.2f} nat in {len(losses)} steps"
    keep(
        [
            off_plan("QLoRA of a 7B", peak_bytes, planned_bytes),
            Figure("training, last loss over first", losses[-1] / losses[0], "", note=note),
            Figure("training, a 7B in 4 bit", tokens_per_s, "tokens/s"),
        ]
    )


@pytest.mark.timeout(900)
def test_a_swap_under_load_fails_nobody(keep: Keep) -> None:
    keep(swap.run())


async def answer_by_each_version(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url, timeout=300) as client:
        for version in range(1, VERSIONS + 1):
            answer = await stream(client, f"alpha@{version}", PROMPT, 32)
            assert answer.failed is None, answer.failed


def part_of(bill: Plan, name: str) -> int:
    (size_bytes,) = (part.size_bytes for part in bill.parts if part.name == name)
    return size_bytes


def off_plan(what: str, taken_bytes: int, planned_bytes: int) -> Figure:
    note = f"{taken_bytes / 1e9:.1f} GB taken, {planned_bytes / 1e9:.1f} GB planned"
    return Figure(f"memory, {what}", abs(taken_bytes / planned_bytes - 1), "", note=note)


def write_long_rows(path: Path) -> Path:
    """Rows that with their form are a little shorter than `ROW_TOKENS` bytes."""
    lines = ["prompt,output"]
    for number in range(ROWS):
        sentence = f"{number} is what we count. "
        lines.append(f"Count {number}.,{sentence * ((ROW_TOKENS - 80) // len(sentence))}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
