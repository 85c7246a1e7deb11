"""How much a program may use, whatever it says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one program; beyond any of them it has no answer.

    Attributes:
        max_source_bytes: Length of the text in UTF-8.
        max_depth: Nesting of brackets, function calls, signs and powers in one expression, and of
            blocks in each other.
        max_steps: Operations carried out, lines finished, and items of lists looked at or written.
        max_digits: Decimal digits of a literal, and of any numerator or denominator.
        timeout_s: Seconds that the thread computes while running, so that a busy machine does not
            cost a program its answer. Parsing comes before and is bounded by the length: 64 KiB
            take half a second at most.
        max_text_chars: Characters of a text.
        max_trace_chars: Characters of names, values and expressions in all steps of the trace.
        max_asks: Leaf steps answered; waiting for an answer is not computing.
    """

    max_source_bytes: int = 65_536
    max_depth: int = 64
    max_steps: int = 10_000
    max_digits: int = 1_000
    timeout_s: float = 1.0
    max_text_chars: int = 1_000
    max_trace_chars: int = 2_000_000
    max_asks: int = 8


DEFAULT_LIMITS = Limits()
