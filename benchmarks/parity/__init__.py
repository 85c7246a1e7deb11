"""Does vLLM, with our plugin, answer with PEFT's log-probabilities? For every architecture."""

from benchmarks.parity.report import add_arguments, run

__all__ = ["add_arguments", "run"]
