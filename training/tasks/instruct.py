"""Instructions and answers of any kind, in the form that the base model is used to."""

from training.tasks.task import Task

TASK = Task(
    prompt="### Instruction:\n{prompt}\n\n### Response:\n",
    demands="be text",
    metrics=("similarity", "exact"),
    probes=("Say hello.", "用一句话介绍你自己。"),
    chat_first=True,
    max_answer_tokens=1024,
)
