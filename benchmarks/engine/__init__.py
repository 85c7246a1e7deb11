"""How fast the engine is, as ratios of one run: adapters to the base, ours to vLLM as installed, both to the matrices.

Knows the engine, not the service above it.
"""

from benchmarks.engine.ratios import add_arguments, run

__all__ = ["add_arguments", "run"]
