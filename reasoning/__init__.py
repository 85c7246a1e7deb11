"""Chain-of-thought as text: its steps, every stated calculation recomputed exactly, its conclusion.

English and Chinese alike. Pure functions over text; nothing here knows of models, rows or HTTP.
"""

from reasoning.check import check
from reasoning.numbers import same_value, show
from reasoning.repair import repair
from reasoning.report import Report, Step

__all__ = ["Report", "Step", "check", "repair", "same_value", "show"]
