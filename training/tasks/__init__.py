"""The tasks a model can be trained for: one file each, and one line in `registry.py`."""

from training.tasks.pseudocode import same_number
from training.tasks.registry import TASKS, TaskName
from training.tasks.task import PLACEHOLDER, Task

__all__ = ["PLACEHOLDER", "TASKS", "Task", "TaskName", "same_number"]
