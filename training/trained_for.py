"""Reads from a version's manifest which task it was trained for; loads no model."""

from typing import get_args

from adapters.store import Version
from training.errors import EvaluationFailed
from training.tasks import TaskName


def task_of(version: Version) -> TaskName:
    """What a version was trained for.

    Raises:
        EvaluationFailed: Its manifest does not say.
    """
    task = version.manifest.training.get("task")
    for known in get_args(TaskName):
        if task == known:
            return known  # type: ignore[no-any-return]  # one of TaskName
    raise EvaluationFailed(
        f"{version} does not say what it was trained for (task={task!r}), expected one of "
        f"{', '.join(get_args(TaskName))}. Say --task."
    )
