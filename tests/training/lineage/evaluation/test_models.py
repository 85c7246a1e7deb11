"""Likelihood of an output, in this process and through the endpoint, is the same thing."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from training.errors import EvaluationFailed
from training.lineage.evaluation.models import LocalModel, mean_after


def test_only_tokens_of_the_output_count() -> None:
    found = SimpleNamespace(
        tokens=["Pro", "mpt", "\n", "out", "put", " more"],
        token_logprobs=[None, -9.0, -9.0, -1.0, -3.0, -9.0],
    )
    assert mean_after(len("Prompt\n"), "Prompt\noutput", found) == -2


def test_an_echo_without_the_output_is_refused() -> None:
    found = SimpleNamespace(tokens=["Pro"], token_logprobs=[None])
    with pytest.raises(EvaluationFailed, match="no token of the output was scored"):
        mean_after(3, "Prooutput", found)


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
