"""The plan of a run: every row once an epoch, in an order that only the seed decides."""

from tests.training.tiny_models import examples
from training.batches import make_parts
from training.encode import IGNORED
from training.job import plan_steps


def plan(rows: int, *, max_steps: int | None = None, seed: int = 1) -> list[list[int]]:
    return plan_steps(rows, batch_rows=4, epochs=2, max_steps=max_steps, seed=seed)


def test_every_epoch_holds_every_row_once_in_an_order_of_its_own() -> None:
    steps = plan(10)
    first, second = ([i for step in half for i in step] for half in (steps[:3], steps[3:]))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert [len(step) for step in steps] == [4, 4, 2, 4, 4, 2]


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    assert plan(50) == plan(50) != plan(50, seed=2)


def test_steps_are_bounded_across_epochs() -> None:
    assert plan(10, max_steps=4) == plan(10)[:4]
    assert len(plan(10, max_steps=99)) == 6


def test_a_step_is_laid_out_without_padding_and_split_at_the_limit() -> None:
    rows = examples(5, 20, 9, 8)
    (whole,) = make_parts(rows, 1000)
    assert whole.lengths == (20, 9, 8, 5)
    assert len(whole.input_ids) == len(whole.targets) == 42
    parts = make_parts(rows, 20)
    assert [part.lengths for part in parts] == [(20,), (9, 8), (5,)]
    assert sorted(line for part in parts for line in part.lines) == [2, 3, 4, 5]


def test_a_row_longer_than_the_limit_is_a_part_of_its_own() -> None:
    assert [part.lengths for part in make_parts(examples(30, 4), 20)] == [(30,), (4,)]


def test_targets_are_the_labels_one_position_on_and_never_cross_rows() -> None:
    rows = examples(6, 7, prompt_tokens=0)
    (part,) = make_parts(rows, 100)
    targets = part.targets.tolist()
    assert targets[:7] == [*rows[1].labels[1:], IGNORED]
    assert targets[7:] == [*rows[0].labels[1:], IGNORED]
