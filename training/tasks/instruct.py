"""Instructions and answers of any kind, in the form that the base model is used to."""

from basemodels.tokens import PLAIN_QUESTION
from training.tasks.task import Task

TASK = Task(
    prompt=PLAIN_QUESTION,
    demands="be text",
    metrics=("similarity", "exact"),
    probes=("Say hello.", "用一句话介绍你自己。"),
    chat_first=True,
    max_answer_tokens=1024,
)
