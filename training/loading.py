"""From a base model's directory to a model that trains: number type, quantisation, LoRA layers."""

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig

from training.forward import attention_for
from training.job import Job
from training.lora_layers import speed_up

DROPOUTS = (
    "attention_dropout", "attn_pdrop", "embd_pdrop", "hidden_dropout", "resid_pdrop",
)  # fmt: skip


def load_model(job: Job) -> PeftModel:
    """Load the base model of a run and put the adapter to be trained on it."""
    base = load_base(job.base_dir, job.compute.device, job.compute.dtype, job.quantise)
    if job.parent_dir is not None:
        model = PeftModel.from_pretrained(base, job.parent_dir, is_trainable=True)
    else:
        lora = LoraConfig(
            r=job.lora.rank,
            lora_alpha=job.lora.alpha,
            use_rslora=job.lora.rslora,
            lora_dropout=job.dropout,
            target_modules=job.lora.targets,
            task_type="CAUSAL_LM",
            fan_in_fan_out=base.config.model_type == "gpt2",
        )
        model = get_peft_model(base, lora)
    if job.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    speed_up(model)
    return model


def load_base(base_dir: Path, device: str, dtype: str, quantise: str | None) -> Any:  # noqa: ANN401 - transformers' own classes
    """Load a base model for training and measuring.

    Args:
        base_dir: Its directory.
        device: "cuda" or "cpu".
        dtype: Of weights that are not quantised, and of products.
        quantise: "4bit", "8bit" or `None`.
    """
    config = AutoConfig.from_pretrained(base_dir, local_files_only=True)
    _silence_dropout(config)
    number = getattr(torch, dtype)
    quantised = {} if quantise is None else {"quantization_config": _bits(quantise, number)}
    base = AutoModelForCausalLM.from_pretrained(
        base_dir,
        config=config,
        dtype=number,
        attn_implementation=attention_for(config.model_type),
        local_files_only=True,
        device_map={"": device},
        **quantised,
    )
    _keep_gradients(base)
    return base


def _silence_dropout(config: Any) -> None:  # noqa: ANN401 - a class for each architecture
    """Leave dropout to the setting of that name; GPT-2 and StarCoder bring 0.1 of pretraining along.

    With it a step depends on how rows lie in it, and attention keeps its weights for every pair of
    tokens, which for a row of 512 is more than all else.
    """
    for name in DROPOUTS:
        if getattr(config, name, 0.0):
            setattr(config, name, 0.0)


def _bits(quantise: str, number: torch.dtype) -> BitsAndBytesConfig:
    if quantise == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=number,
    )


def _keep_gradients(base: nn.Module) -> None:
    """Keep bitsandbytes from repacking 4-bit weights for a CPU kernel that has no gradients.

    It does so whenever a model is measured, and never back, which would end training after the
    first evaluation (bitsandbytes 0.50, `Linear4bit.forward`).
    """
    for module in base.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            setattr(module, "support_avx512bf16_for_cpu", False)  # noqa: B010 - not a known attribute
