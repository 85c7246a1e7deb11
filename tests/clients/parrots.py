"""The parrots of the soak, for the tests: see `benchmarks._parrots`."""

from benchmarks._parrots import BASE as BASE
from benchmarks._parrots import Base as Base
from benchmarks._parrots import make_base as make_base
from benchmarks._parrots import parroted as parroted
from benchmarks._parrots import publish as publish
