"""Word problems in English and Chinese, each with a program that computes its answer.

Unlimited training data for the pseudocode task: texts come from templates (`english.yaml`,
`chinese.yaml`), answers from running the programs. Run `python -m training.problems --help`.
"""

from training.problems.errors import ProblemError
from training.problems.generator import Problem, generate
from training.problems.rows import write_problems
from training.problems.splits import Split, held_out, is_reserved
from training.problems.templates import Language, load

__all__ = [
    "Language",
    "Problem",
    "ProblemError",
    "Split",
    "generate",
    "held_out",
    "is_reserved",
    "load",
    "write_problems",
]
