"""Likelihoods are those of a plain forward pass, with the adapter that is asked and no other."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.training.endpoint import serving
from training.errors import EvaluationFailed
from training.novels.evaluation.writers import Bench, ServedWriter
from training.novels.evaluation.writing import Sampling, Written
from training.rows import Row

ROWS = [
    Row(2, "It was night.", "The door opened. Nobody came in.", None, {}),
    Row(3, "“Who is there?” he asked", "“It is I.”\nSo she said.", None, {}),
    Row(4, "夜色渐深", "他推开门。", None, {}),
]


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> dict[str, Path]:
    """Two adapters with random weights."""
    found = {}
    for seed, name in enumerate(["style@1", "form.two@2"]):
        torch.manual_seed(seed)
        base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
        model = get_peft_model(
            base, LoraConfig(r=4, target_modules=["q_proj", "up_proj"], init_lora_weights=False)
        )
        found[name] = tmp_path_factory.mktemp("adapter")
        model.save_pretrained(found[name])
    return found


def _plainly(base: Path, adapter: Path | None, row: Row) -> float:
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    prompt = tokenizer(f"{row.prompt}\n", add_special_tokens=False)["input_ids"]
    output = tokenizer(row.output, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = model(torch.tensor([prompt + output])).logits[0]
    chosen = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1]
    return -float(chosen[range(len(output)), output].sum())


def test_likelihoods_are_those_of_a_plain_forward_pass(
    tiny_base: Path, adapters: dict[str, Path]
) -> None:
    bench = Bench(tiny_base, "tiny", adapters)
    expected: dict[str, Path | None] = {"tiny": None, **adapters}
    assert [writer.name for writer in bench.writers] == list(expected)
    for writer in bench.writers:
        plain = [_plainly(tiny_base, expected[writer.name], row) for row in ROWS]
        assert writer.nats(ROWS) == pytest.approx(plain, rel=1e-4)
    # The order in which they are asked makes no difference.
    assert bench.writers[0].nats(ROWS[:1]) == pytest.approx(
        [_plainly(tiny_base, None, ROWS[0])], rel=1e-4
    )


def test_a_base_alone_is_measured(tiny_base: Path) -> None:
    (writer,) = Bench(tiny_base, "tiny", {}).writers
    assert writer.nats(ROWS[:1]) == pytest.approx([_plainly(tiny_base, None, ROWS[0])], rel=1e-4)


def test_the_same_seed_writes_the_same_and_no_more_than_it_may(
    tiny_base: Path, adapters: dict[str, Path]
) -> None:
    base, first, second = Bench(tiny_base, "tiny", adapters).writers
    prompts = [row.prompt for row in ROWS]

    def write(temperature: float, seed: int) -> list[str]:
        written = first.write(prompts, Sampling(temperature, 0.95), 12, seed)
        assert all(len(each.text) <= 12 for each in written)
        return [each.text for each in written]

    assert write(1, 0) == write(1, 0) != write(1, 1)
    assert write(0, 0) == write(0, 1)
    greedy = Sampling(0, 1)
    texts = [writer.write(prompts, greedy, 12, 0) for writer in (base, first, second)]
    assert texts[0] != texts[1] != texts[2]


def test_what_does_not_fit_is_refused(tiny_base: Path) -> None:
    (writer,) = Bench(tiny_base, "tiny", {}).writers
    cases: list[Callable[[], object]] = [
        lambda: writer.write(["word " * 110], Sampling(0, 1), 12, 0),
        lambda: writer.nats([Row(2, "word " * 110, "end.", None, {})]),
    ]
    for case in cases:
        with pytest.raises(EvaluationFailed, match="512"):
            case()


def test_a_service_is_asked_for_the_same() -> None:
    with serving() as url:
        writer = ServedWriter(url, "known", "key")
        rows = [Row(2, "It was night.", "aa bbbb", None, {}), Row(3, "x", "c dd", None, {})]
        assert writer.nats(rows) == [6, 3]
        written = writer.write(["It was night.", "x"], Sampling(0.8, 0.95), 5, 0)
        assert written == [Written(" more", ended=False)] * 2
        with pytest.raises(EvaluationFailed, match="did not answer for 'nobody'"):
            ServedWriter(url, "nobody", "key").nats(rows)
