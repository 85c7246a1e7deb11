"""LoRA on GPT-2, Falcon and StarCoder, which vLLM 0.32 refuses or drops silently.

vLLM's classes compute these models as they are; what is missing is the declaration that their
layers may carry LoRA, and under which names. `plugin.register` puts these in their place.
"""

from typing import ClassVar

from vllm.config import VllmConfig
from vllm.model_executor.models.falcon import FalconForCausalLM
from vllm.model_executor.models.gpt2 import GPT2LMHeadModel
from vllm.model_executor.models.interfaces import SupportsLoRA
from vllm.model_executor.models.transformers import TransformersForCausalLM


class GPT2WithLora(GPT2LMHeadModel, SupportsLoRA):
    """GPT-2: query, key and value are one layer here and in an adapter, so they are not split."""

    packed_modules_mapping: ClassVar[dict[str, list[str]]] = {"c_attn": ["c_attn"]}
    embedding_modules: ClassVar[dict[str, str]] = {}


class FalconWithLora(FalconForCausalLM, SupportsLoRA):
    """Falcon-7B, whose one key and one value head follow all query heads."""

    packed_modules_mapping: ClassVar[dict[str, list[str]]] = {
        "query_key_value": ["query_key_value"]
    }
    embedding_modules: ClassVar[dict[str, str]] = {}

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        """Build the model.

        Raises:
            ValueError: Its fused rows are in another order than an adapter's, since vLLM sorts the
                base's rows on loading and would not sort an adapter's.
        """
        config = vllm_config.model_config.hf_config
        if config.new_decoder_architecture or not config.multi_query:
            raise ValueError(
                "LoRA on this Falcon is not exact: its query, key and value rows are interleaved "
                f"(new_decoder_architecture={config.new_decoder_architecture}, "
                f"multi_query={config.multi_query}). Expected Falcon-7B's layout. Choose another "
                "base, or merge the adapter."
            )
        super().__init__(vllm_config=vllm_config, prefix=prefix)


class BigCodeWithLora(TransformersForCausalLM):
    """StarCoder: vLLM runs it through transformers and takes `c_attn` for a fused layer's name."""

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        """Build the model, then say that `c_attn` is one layer in an adapter too."""
        super().__init__(vllm_config=vllm_config, prefix=prefix)
        self.packed_modules_mapping["c_attn"] = ["c_attn"]
