"""Grouped LoRA against plain float64 arithmetic, and against the class it replaces."""

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

if TYPE_CHECKING:
    from service.engine.cpu_lora import GroupedPunicaWrapper

SLOTS = 4
VOCABULARY = 50

pytestmark = pytest.mark.usefixtures("vllm_imported", "numerics")


def prepared(
    tokens: list[int], requests: list[int], *, stock: bool = False
) -> "GroupedPunicaWrapper":
    """A wrapper for a step whose rows belong to the adapters 1 to SLOTS, or 0 for the base."""
    from vllm.lora.layers import LoRAMapping
    from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

    from service.engine.cpu_lora import GroupedPunicaWrapper

    wrapper = (PunicaWrapperCPU if stock else GroupedPunicaWrapper)(256, 64, "cpu")
    mapping = LoRAMapping(tuple(tokens), tuple(requests), is_prefill=True)
    wrapper.update_metadata(mapping, [1, 2, 3, 4], SLOTS, VOCABULARY)
    return wrapper


def stacked(rank: int, max_rank: int, inputs: int, outputs: int) -> tuple[Tensor, Tensor]:
    """Random weights of the given rank in slots of a higher one, as vLLM lays them out."""
    a = torch.zeros(SLOTS, 1, max_rank, inputs)
    b = torch.zeros(SLOTS, 1, outputs, max_rank)
    a[:, :, :rank] = torch.randn(SLOTS, 1, rank, inputs)
    b[..., :rank] = torch.randn(SLOTS, 1, outputs, rank)
    return a, b


def reference(y: Tensor, x: Tensor, a: Tensor, b: Tensor, ids: list[int]) -> Tensor:
    result = y.double().clone()
    for row, adapter in enumerate(ids):
        if adapter:
            weights = b[adapter - 1, 0].double() @ a[adapter - 1, 0].double()
            result[row] += weights @ x[row].double()
    return result


def spy(real: Callable[..., None], asked: list[object]) -> Callable[..., None]:
    """The function itself, with a note of each call."""

    def call(*args: object) -> None:
        asked.append(args)
        real(*args)

    return call


def test_rows_are_grouped_by_slot_and_the_base_has_no_group() -> None:
    from service.engine.cpu_lora import Group, group_rows

    rows = group_rows([-1, 2, 2, -1, 0, 2, 1, 1])
    assert rows.groups == (
        Group(0, slice(0, 1), slice(4, 5)),
        Group(1, slice(1, 3), slice(6, 8)),
        Group(2, slice(3, 6), None),
    )
    assert rows.order.tolist() == [4, 6, 7, 1, 2, 5]
    assert not rows.together


def test_missing_rows_are_filled_up_and_adapters_without_rows_too() -> None:
    from service.engine.cpu_lora import group_rows

    batch = group_rows([3, -1, 0, 1, 0, 3], [0, 1, 2, 3]).batch
    assert batch is not None
    assert batch.filled.tolist() == [2, 4, 3, 0, 0, 0, 0, 5]
    assert batch.real is not None
    assert batch.real.tolist() == [0, 1, 2, 6, 7]
    full = group_rows([0, 1, 2, 0, 1, 2], [0, 1, 2]).batch
    assert full is not None
    assert full.real is None


def test_a_step_of_the_base_alone_has_no_groups() -> None:
    from service.engine.cpu_lora import group_rows

    assert group_rows([-1, -1, -1]).groups == ()


@pytest.mark.parametrize("rank", [1, 7, 64, 256])
@pytest.mark.parametrize("case", range(6))
def test_a_layer_with_slices_equals_plain_arithmetic(rank: int, case: int) -> None:
    chance = random.Random(case)  # noqa: S311 - test data
    ids = [chance.choice([0, 0, 1, 2, 3, 4]) for _ in range(chance.randint(1, 40))]
    if case == 0:
        ids = sorted(ids)
    inputs, widths = chance.randint(3, 90), (chance.randint(2, 60), 5, 17)
    pairs = [stacked(rank, 256, inputs, width) for width in widths]
    x, y = torch.randn(len(ids), inputs), torch.randn(len(ids), sum(widths))
    expected = torch.cat(
        [
            reference(part, x, a, b, ids)
            for part, (a, b) in zip(torch.split(y, list(widths), dim=1), pairs, strict=True)
        ],
        dim=1,
    )
    given = y.clone()
    wrapper = prepared(ids, [ids[0]])
    a_parts, b_parts = zip(*pairs, strict=True)
    wrapper.add_lora_linear(given, x, a_parts, b_parts, 1.0, widths)
    scale = expected.abs().max()
    assert ((given.double() - expected).abs().max() / scale).item() < 2e-6
    base = [row for row, adapter in enumerate(ids) if adapter == 0]
    assert torch.equal(given[base], y[base])


def test_rows_in_another_order_get_the_same_answers() -> None:
    ids = [0, 1, 2, 1, 0, 3, 2, 2]
    a, b = stacked(8, 16, 32, 24)
    x = torch.randn(8, 32)
    straight = torch.zeros(8, 24)
    prepared(ids, ids).add_lora_linear(straight, x, (a,), (b,), 1.0, (24,))
    order = torch.randperm(8)
    shuffled = torch.zeros(8, 24)
    wrapper = prepared([ids[i] for i in order], ids)
    wrapper.add_lora_linear(shuffled, x[order], (a,), (b,), 1.0, (24,))
    torch.testing.assert_close(shuffled, straight[order], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rank", [1, 7, 16])
@pytest.mark.parametrize("ids", [[1, 2, 3, 4] * 2, [3, 0, 1, 2, 3, 0, 1, 4]])
def test_a_pile_of_adapters_equals_one_after_another(
    rank: int, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.engine import cpu_lora

    asked: list[object] = []
    monkeypatch.setattr(cpu_lora, "add_piled", spy(cpu_lora.add_piled, asked))
    widths = (24, 8, 10)
    pairs = [stacked(rank, 32, 20, width) for width in widths]
    # The second adapter leaves the second slice alone.
    pairs[1][1][1] = 0
    a, b = zip(*pairs, strict=True)
    x, y = torch.randn(len(ids), 20), torch.randn(len(ids), sum(widths))
    given, alone = y.clone(), y.clone()
    prepared(ids, ids).add_lora_linear(given, x, a, b, 0.5, widths)
    assert len(asked) == 1
    monkeypatch.setattr(cpu_lora, "LEAST_PILED", 99)
    prepared(ids, ids).add_lora_linear(alone, x, a, b, 0.5, widths)
    assert len(asked) == 1
    torch.testing.assert_close(given, alone, rtol=1e-5, atol=1e-5)
    base = [row for row, adapter in enumerate(ids) if adapter == 0]
    assert torch.equal(given[base], y[base])


@pytest.mark.parametrize(
    ("ids", "rank"),
    [
        ([1, 2] * 4, 16),
        ([1, 1, 2, 2, 3, 4], 16),
        ([1, 2, 3, 4] * 2, 40),
        (([1] * 17 + [2] * 17 + [3] * 17) * 2, 16),
        ([1] * 9 + [2, 3, 2], 16),
    ],
    ids=["two adapters", "rows together", "wide adapters", "many rows", "most rows of one"],
)
def test_others_are_multiplied_one_after_another(
    ids: list[int], rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.engine import cpu_lora

    asked: list[object] = []
    monkeypatch.setattr(cpu_lora, "add_piled", spy(cpu_lora.add_piled, asked))
    a, b = stacked(rank, 64, 20, 24)
    x, y = torch.randn(len(ids), 20), torch.randn(len(ids), 24)
    expected = reference(y, x, a, b, ids)
    prepared(ids, ids).add_lora_linear(y, x, (a,), (b,), 1.0, (24,))
    assert asked == []
    torch.testing.assert_close(y.double(), expected, rtol=1e-4, atol=1e-4)


def test_an_adapter_whose_numbers_overflow_spoils_no_other_row() -> None:
    ids = [1, 2, 3, 0, 1, 2, 3, 0]
    a, b = stacked(8, 16, 32, 24)
    a[1] = 1e38
    x, y = torch.rand(8, 32) + 1, torch.zeros(8, 24)
    prepared(ids, ids).add_lora_linear(y, x, (a,), (b,), 1.0, (24,))
    others = [row for row, adapter in enumerate(ids) if adapter != 2]
    assert not y[1].isfinite().all()
    expected = reference(torch.zeros(8, 24), x, a, b, ids)[others]
    torch.testing.assert_close(y[others].double(), expected, rtol=1e-4, atol=1e-4)


def test_a_slot_that_holds_nothing_any_more_is_left_out() -> None:
    from service.engine.cutting import Cutter

    a, b = stacked(4, 16, 8, 6)
    pile = Cutter().pile((a,), (b,), (0, 2))
    assert pile is not None
    assert torch.equal(pile.a, torch.stack([a[slot, 0, :4].T for slot in (0, 2)]))
    assert torch.equal(pile.b[0], torch.stack([b[slot, 0, :, :4].T for slot in (0, 2)]))
    assert Cutter().pile((a,), (b,), ()) is None


def test_the_scale_multiplies_the_change_alone() -> None:
    ids = [1, 0, 1]
    a, b = stacked(4, 16, 8, 6)
    x, y = torch.randn(3, 8), torch.randn(3, 6)
    change = reference(torch.zeros(3, 6), x, a, b, ids)
    for rows in (ids, [1, 1, 1]):
        given = y.clone()
        wrapper = prepared(rows, rows)
        wrapper.add_lora_linear(given, x, (a,), (b,), 0.5, (6,))
        expected = y.double() + 0.5 * (change if rows == ids else reference(0 * y, x, a, b, rows))
        torch.testing.assert_close(given.double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("ids", [[1, 0, 2, 1, 1], [1, 0, 2, 3, 1]], ids=["two", "a pile of three"])
@pytest.mark.parametrize("weights", [torch.bfloat16, torch.float32])
def test_bfloat16_activations_are_as_exact_as_bfloat16_allows(
    weights: torch.dtype, ids: list[int]
) -> None:
    a, b = (part.to(weights) for part in stacked(16, 32, 64, 48))
    x, y = torch.randn(5, 64).bfloat16(), torch.randn(5, 48).bfloat16()
    expected = reference(y, x, a, b, ids)
    given = y.clone()
    wrapper = prepared(ids, ids)
    wrapper.add_lora_linear(given, x, (a,), (b,), 1.0, (48,))
    error = (given.double() - expected).abs().max() / expected.abs().max()
    assert error.item() < 2**-7
    assert torch.equal(given[1], y[1])


def test_a_leading_dimension_of_one_is_accepted() -> None:
    ids = [1, 0, 2]
    a, b = stacked(4, 8, 8, 6)
    x, y = torch.randn(1, 3, 8), torch.zeros(1, 3, 6)
    prepared(ids, ids).add_lora_linear(y, x, (a,), (b,), 1.0, (6,))
    expected = reference(torch.zeros(3, 6), x[0], a, b, ids)
    torch.testing.assert_close(y[0].double(), expected, rtol=1e-5, atol=1e-5)


def test_embeddings_equal_plain_arithmetic_and_leave_base_rows_alone() -> None:
    ids = [2, 0, 1, 2, 0]
    looked_up, y = torch.randn(5, 16), torch.randn(5, 24)
    _, b = stacked(16, 16, 1, 24)
    given = y.clone()
    wrapper = prepared(ids, ids)
    wrapper.add_lora_embedding(given, looked_up, b, add_input=True)
    for row, adapter in enumerate(ids):
        if adapter:
            expected = y[row].double() + b[adapter - 1, 0].double() @ looked_up[row].double()
            torch.testing.assert_close(given[row].double(), expected, rtol=1e-5, atol=1e-5)
        else:
            assert torch.equal(given[row], y[row])


def test_logits_equal_plain_arithmetic_for_one_row_of_each_request() -> None:
    requests = [0, 3, 1, 3]
    a, b = stacked(4, 8, 16, VOCABULARY)
    x, y = torch.randn(4, 16), torch.randn(4, VOCABULARY + 14)
    given = y.clone()
    wrapper = prepared([0, 0, 3, 1, 3], requests)
    wrapper.add_lora_logits(given, x, a, b, 1.0)
    expected = reference(y[:, :VOCABULARY], x, a, b, requests)
    torch.testing.assert_close(given[:, :VOCABULARY].double(), expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(given[0], y[0])
    assert torch.equal(given[:, VOCABULARY:], y[:, VOCABULARY:])


def test_logits_of_a_prompt_pass_unless_an_adapter_changes_the_head() -> None:
    a, b = stacked(4, 8, 16, VOCABULARY)
    wrapper = prepared([1, 1, 1, 0], [1, 0])
    x, y = torch.randn(3, 16), torch.randn(3, VOCABULARY)
    given = y.clone()
    wrapper.add_lora_logits(given, x, torch.zeros_like(a), torch.zeros_like(b), 1.0)
    assert torch.equal(given, y)
    with pytest.raises(RuntimeError, match=r"3 rows .* serves 2 requests"):
        wrapper.add_lora_logits(given, x, a, b, 1.0)


def test_a_slot_that_changes_hands_is_looked_at_again() -> None:
    from service.engine.cutting import Cutter

    cutter = Cutter()
    a, b = torch.ones(SLOTS, 1, 32, 7), torch.zeros(SLOTS, 1, 10, 32)
    assert cutter.cut((a,), (b,), 1).parts == ()
    for rank in (5, 9, 2):
        b[1] = 0
        b[1, 0, :, :rank] = float(rank)
        weights = cutter.cut((a,), (b,), 1)
        assert weights.a is not None
        assert weights.a.shape == (7, rank)
        assert torch.equal(weights.parts[0].b, torch.full((rank, 10), float(rank)))
    assert [len(cutter.cut((a,), (b,), slot).parts) for slot in range(SLOTS)] == [0, 1, 0, 0]


def test_slices_that_an_adapter_leaves_alone_cost_nothing() -> None:
    from service.engine.cutting import Cutter

    a = tuple(torch.randn(SLOTS, 1, 16, 7) for _ in range(3))
    b = tuple(torch.zeros(SLOTS, 1, width, 16) for width in (6, 3, 3))
    b[2][0, 0, :, :4] = 1.0
    (part,) = Cutter().cut(a, b, 0).parts
    assert (part.inner, part.output) == (slice(0, 4), slice(9, 12))


def test_nothing_grows_with_the_number_of_steps() -> None:
    from service.engine.cutting import Cutter

    cutter = Cutter()
    a, b = torch.ones(SLOTS, 1, 32, 7), torch.ones(SLOTS, 1, 10, 32)
    for step in range(100):
        b[step % SLOTS] = float(step + 1)
        cutter.cut((a,), (b,), step % SLOTS)
        cutter.pile((a,), (b,), (0, 1, step % SLOTS))
    (layer,) = cutter._known.values()
    assert len(layer.slots) <= SLOTS
    assert len(layer.piles) == 1


def test_the_class_it_replaces_gives_a_base_row_the_last_adapters_answer() -> None:
    """Why it is replaced. When this fails, vLLM has mended its class, and ours may go."""
    ids = [0, 1]
    a, b = stacked(4, 8, 8, 6)
    x = torch.randn(2, 8)
    theirs, ours = torch.zeros(2, 6), torch.zeros(2, 6)
    prepared(ids, ids, stock=True).add_lora_linear(theirs, x, (a,), (b,), 1.0, (6,))
    prepared(ids, ids).add_lora_linear(ours, x, (a,), (b,), 1.0, (6,))
    last_slot = reference(torch.zeros(2, 6), x, a, b, [SLOTS, 1])
    torch.testing.assert_close(theirs.double(), last_slot, rtol=1e-5, atol=1e-5)
    assert torch.equal(ours[0], torch.zeros(6))
    torch.testing.assert_close(ours[1], theirs[1], rtol=1e-5, atol=1e-5)
