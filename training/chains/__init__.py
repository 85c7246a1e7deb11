"""Chains of thought: written out from executed programs or GSM8K, and spoiled for preference rows."""

from training.chains.corrupting import Corruption, corruptions
from training.chains.verbalising import verbalise

__all__ = ["Corruption", "corruptions", "verbalise"]
