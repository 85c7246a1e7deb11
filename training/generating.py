"""Answers of a model in this process, greedily; the plain forward pass, with a cache.

Takes and gives token ids; knows nothing of rows or tasks.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from peft import PeftModel
from transformers import GenerationConfig

from training.forward import PADDED_ATTENTION

BATCH_ROWS = 8


def generate(
    model: PeftModel, prompts: Sequence[list[int]], *, max_tokens: int, eos: int
) -> list[list[int]]:
    """Answer prompts.

    Args:
        model: With its adapter, or within `disable_adapter`.
        prompts: Token ids.
        max_tokens: Limit of an answer.
        eos: The end-of-text token, which ends an answer and is not part of it.

    Returns:
        Token ids of the answers, in the order of the prompts.
    """
    answers: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    with _answering(model), torch.no_grad():
        for start in range(0, len(order), BATCH_ROWS):
            chosen = order[start : start + BATCH_ROWS]
            batch = [prompts[index] for index in chosen]
            for index, answer in zip(chosen, _batch(model, batch, max_tokens, eos), strict=True):
                answers[index] = answer
    return answers


def _batch(
    model: PeftModel, prompts: Sequence[list[int]], max_tokens: int, eos: int
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
            do_sample=False,
            max_new_tokens=max(1, min(max_tokens, room - longest)),
            eos_token_id=eos,
            pad_token_id=eos,
        ),
    )
    tails = found[:, longest:].tolist()
    return [tail[: tail.index(eos)] if eos in tail else tail for tail in tails]


@contextmanager
def _answering(model: PeftModel) -> Iterator[None]:
    """Attention with a cache, no dropout; afterwards as before."""
    config, training = model.config, model.training
    attention = config._attn_implementation
    config._attn_implementation = PADDED_ATTENTION
    model.eval()
    try:
        yield
    finally:
        config._attn_implementation = attention
        model.train(training)
