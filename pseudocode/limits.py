"""How much a program may use, whatever it says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one program; beyond any of them it has no answer.

    Attributes:
        max_source_bytes: Length of the text in UTF-8.
        max_depth: Nesting of parentheses, function calls, signs and powers in one expression.
        max_steps: Operations carried out and lines finished.
        max_digits: Decimal digits of a literal, and of any numerator or denominator.
        timeout_s: Seconds that the thread computes while running, so that a busy machine does not
            cost a program its answer. Parsing comes before and is bounded by the length: 64 KiB
            take half a second at most.
    """

    max_source_bytes: int = 65_536
    max_depth: int = 64
    max_steps: int = 10_000
    max_digits: int = 1_000
    timeout_s: float = 1.0


DEFAULT_LIMITS = Limits()
