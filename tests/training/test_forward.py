"""Rows laid end to end give the loss and the gradients of rows on their own, on every architecture."""

import pytest
import torch
from peft import PeftModel

from tests.training.tiny_models import FAMILIES, examples, gradients, reference_loss, tiny_model
from training.batches import make_parts
from training.encode import IGNORED, Example
from training.forward import part_loss, rows_apart
from training.lora_layers import speed_up

# transformers' GPTBigCode compiles two functions with torch.jit when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")

LENGTHS = (7, 19, 12, 30)


def our_loss(model: PeftModel, rows: list[Example], max_tokens: int = 10_000) -> torch.Tensor:
    parts = make_parts(rows, max_tokens)
    trained = sum(int((part.targets != IGNORED).sum()) for part in parts)
    losses = [part_loss(model.get_base_model(), part) for part in parts]
    return torch.stack(losses).sum() / trained


@pytest.mark.parametrize("family", FAMILIES)
def test_loss_and_gradients_equal_those_of_plain_peft_row_by_row(family: str) -> None:
    rows = examples(*LENGTHS)
    plain = tiny_model(family, "eager")
    expected = reference_loss(plain, rows)
    torch.autograd.backward(expected)
    ours = tiny_model(family)
    speed_up(ours)
    loss = our_loss(ours, rows)
    torch.autograd.backward(loss)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    found, wanted = gradients(ours), gradients(plain)
    assert found.keys() == wanted.keys()
    assert found
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("family", ["llama", "falcon"])
def test_a_step_in_parts_gives_the_gradients_of_the_whole(family: str) -> None:
    rows = examples(*LENGTHS)
    whole, in_parts = tiny_model(family), tiny_model(family)
    torch.autograd.backward(our_loss(whole, rows))
    assert len(make_parts(rows, 31)) == 3
    torch.autograd.backward(our_loss(in_parts, rows, max_tokens=31))
    for name, gradient in gradients(whole).items():
        torch.testing.assert_close(gradients(in_parts)[name], gradient, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "falcon"])
def test_gradient_checkpointing_changes_nothing(family: str) -> None:
    rows = examples(*LENGTHS)
    plain, twice = tiny_model(family), tiny_model(family)
    twice.gradient_checkpointing_enable({"use_reentrant": False})
    twice.enable_input_require_grads()
    results = []
    for model in (plain, twice):
        speed_up(model)
        (part,) = make_parts(rows, 10_000)
        with rows_apart(part):
            loss = part_loss(model.get_base_model(), part)
            torch.autograd.backward(loss)
        results.append((loss.item(), gradients(model)))
    assert results[0][0] == results[1][0]
    for name, gradient in results[0][1].items():
        torch.testing.assert_close(results[1][1][name], gradient, msg=name)


def test_eight_rows_at_once_equal_eight_accumulated_ones() -> None:
    rows = examples(7, 19, 12, 30, 8, 9, 21, 16)
    at_once, one_by_one = tiny_model("llama"), tiny_model("llama")
    torch.autograd.backward(our_loss(at_once, rows))
    assert len(make_parts(rows, 1)) == 8
    torch.autograd.backward(our_loss(one_by_one, rows, max_tokens=1))
    for name, gradient in gradients(at_once).items():
        torch.testing.assert_close(gradients(one_by_one)[name], gradient, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("family", ["llama", "mistral"])
def test_a_row_does_not_see_its_neighbours(family: str) -> None:
    model = tiny_model(family)
    first, second = examples(15, 18)
    alone = our_loss(model, [second])
    other = first._replace(input_ids=[token - 1 for token in first.input_ids])
    other = other._replace(labels=[IGNORED] * len(first.labels))
    torch.testing.assert_close(our_loss(model, [other, second]), alone, atol=1e-6, rtol=1e-6)


def test_masked_tokens_change_neither_loss_nor_gradient_through_their_labels() -> None:
    (row,) = examples(16, prompt_tokens=9)
    unmasked = row._replace(labels=row.input_ids)
    losses = [our_loss(tiny_model("llama"), [each]).item() for each in (row, unmasked)]
    assert losses[0] != pytest.approx(losses[1])
    model = tiny_model("llama", "eager")
    logits = model(input_ids=torch.tensor([row.input_ids])).logits[0]
    by_hand = torch.nn.functional.cross_entropy(logits[8:15], torch.tensor(row.input_ids[9:]))
    assert losses[0] == pytest.approx(by_hand.item(), abs=1e-5)


def test_with_b_at_zero_the_model_answers_like_its_base() -> None:
    rows = examples(*LENGTHS)
    model = tiny_model("llama", effect=False)
    speed_up(model)
    with_adapter = our_loss(model, rows)
    with model.disable_adapter():
        assert our_loss(model, rows).item() == with_adapter.item()
    changed = tiny_model("llama")
    assert our_loss(changed, rows).item() != pytest.approx(with_adapter.item(), abs=1e-6)
