"""Does vLLM, with our plugin, answer with PEFT's log-probabilities? For every architecture."""

from benchmarks.parity.report import run

__all__ = ["run"]
