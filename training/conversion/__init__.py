"""Public word problems with worked solutions → questions with programs that were executed.

A row is kept when running its program gives the published answer; everything else is dropped with
its reason and counted. Nothing here may read a public test set.
"""

from training.conversion.candidates import Candidate, Dropped, Solution
from training.conversion.forms import Form
from training.conversion.rows import Row, convert

__all__ = ["Candidate", "Dropped", "Form", "Row", "Solution", "convert"]
