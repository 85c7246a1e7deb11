"""Answers of a model in this process, greedily or drawn; the plain forward pass, with a cache.

Takes and gives token ids; knows nothing of rows or tasks.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from peft import PeftModel
from transformers import GenerationConfig

from training.forward import PADDED_ATTENTION

BATCH_ROWS = 8


class Drawing(NamedTuple):
    """How tokens are drawn: as `temperature` and `top_p` of the API; the same seed, the same answers."""

    temperature: float
    top_p: float
    seed: int


def generate(
    model: PeftModel,
    prompts: Sequence[list[int]],
    *,
    max_tokens: int,
    eos: int,
    drawing: Drawing | None = None,
) -> list[list[int]]:
    """Answer prompts.

    Args:
        model: With its adapter, or within `disable_adapter`.
        prompts: Token ids.
        max_tokens: Limit of an answer.
        eos: The end-of-text token, which ends an answer and is not part of it.
        drawing: How to draw tokens; greedily if not given.

    Returns:
        Token ids of the answers, in the order of the prompts.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    with _answering(model), torch.no_grad(), torch.random.fork_rng():
        if drawing is not None:
            torch.manual_seed(drawing.seed)
        for start in range(0, len(order), BATCH_ROWS):
            chosen = order[start : start + BATCH_ROWS]
            batch = [prompts[index] for index in chosen]
            found = _batch(model, batch, max_tokens, eos, drawing)
            for index, answer in zip(chosen, found, strict=True):
                answers[index] = answer
    return answers


def _batch(
    model: PeftModel,
    prompts: Sequence[list[int]],
    max_tokens: int,
    eos: int,
    drawing: Drawing | None,
) -> list[list[int]]:
    longest = max(map(len, prompts))
    ids = torch.tensor([[eos] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    # Learned positions end where the model's do.
    room = getattr(model.config, "max_position_embeddings", None) or longest + max_tokens
    found = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        generation_config=GenerationConfig(
            max_new_tokens=max(1, min(max_tokens, room - longest)),
            eos_token_id=eos,
            pad_token_id=eos,
            **_sampling(drawing),
        ),
    )
    tails = found[:, longest:].tolist()
    return [tail[: tail.index(eos)] if eos in tail else tail for tail in tails]


def _sampling(drawing: Drawing | None) -> dict[str, object]:
    if drawing is None:
        return {"do_sample": False}
    # 0 of top_k lets every token take part, as in the API.
    return {
        "do_sample": True,
        "temperature": drawing.temperature,
        "top_p": drawing.top_p,
        "top_k": 0,
    }


@contextmanager
def _answering(model: PeftModel) -> Iterator[None]:
    """Attention with a cache, no dropout; afterwards as before."""
    config, training = model.config, model.training
    attention = config._attn_implementation
    config._attn_implementation = PADDED_ATTENTION
    model.eval()
    # The head is given each row's last position, a view with gaps, for which torch repeats the
    # weights for every row: 1.3 GB for eight rows of a vocabulary of 262,144 and a width of 320.
    hook = model.get_output_embeddings().register_forward_pre_hook(_without_gaps)
    try:
        yield
    finally:
        hook.remove()
        config._attn_implementation = attention
        model.train(training)


def _without_gaps(_head: torch.nn.Module, given: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    return (given[0].contiguous(),)
