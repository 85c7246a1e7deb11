"""What can go wrong between a file of rows and a published adapter.

A message says what failed, the value got, what was expected and what to do next.
"""


# The names say what happened, like those of the standard library that end in no "Error".
# ruff: noqa: N818


class TrainingError(Exception):
    """Anything that training refuses or gives up on; the base of all below."""

    code = "training_error"


class RowsRefused(TrainingError):
    """A file of rows cannot be read, or rows in it cannot be trained on."""

    code = "rows_refused"


class NotWritten(TrainingError):
    """A file that was made cannot be written where it was asked for."""

    code = "not_written"


class RunRefused(TrainingError):
    """The verdict before the run found something that would make it fail or be useless."""

    code = "run_refused"


class RunDiverged(TrainingError):
    """The loss or a gradient stopped being a usable number."""

    code = "run_diverged"


class RunStopped(TrainingError):
    """The run was asked to stop and saved a checkpoint."""

    code = "run_stopped"


class EvaluationFailed(TrainingError):
    """Answers could not be fetched or scored."""

    code = "evaluation_failed"


class SamplingFailed(TrainingError):
    """Programs could not be drawn from a service, or those drawn cannot be used."""

    code = "sampling_failed"
