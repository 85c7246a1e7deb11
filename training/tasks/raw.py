"""Text without prompts, for the stage before rows: every token is trained."""

from training.tasks.task import Task

TASK = Task(
    prompt="{prompt}",
    demands="be text, in the column `text` or in a directory of .txt and .md files",
    metrics=("similarity", "exact"),
    probes=("Once upon a time", "从前"),
    columns=("output",),
    column_names={"output": "text"},
    max_answer_tokens=512,
)
