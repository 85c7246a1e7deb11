"""Likelihood of an output in this process is that of a plain forward pass."""

from pathlib import Path

import pytest

from training.lineage.evaluation.models import LocalModel


def test_a_local_model_scores_as_a_plain_forward_pass_does(tiny_base: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = LocalModel(tiny_base, None, "tiny")
    first, second = model.score("a prompt", ["an output", "another"])
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    plain = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32)
    prompt = tokenizer("[Input]\na prompt\n[Output]\n", add_special_tokens=False)["input_ids"]
    output = tokenizer("an output", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = plain(torch.tensor([prompt + output])).logits[0]
    log_probabilities = torch.log_softmax(logits, -1)
    expected = [
        log_probabilities[len(prompt) - 1 + place, token].item()
        for place, token in enumerate(output)
    ]
    assert first == pytest.approx(sum(expected) / len(expected), abs=1e-5)
    assert first != second


def test_a_local_model_writes_no_more_than_it_may(tiny_base: Path) -> None:
    model = LocalModel(tiny_base, None, "tiny")
    written = model.write("a prompt", 7)
    assert written == model.write("a prompt", 7)
    assert len(written) <= 7
