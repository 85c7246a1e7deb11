"""The one way from a prompt to the text that is trained on and served.

Text becomes tokens as the service does it: `tokenizer(text, add_special_tokens=False)`, so a model
that needs a beginning-of-text token gets it as text.
"""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import jinja2

from adapters import template
from adapters.manifest import PromptForm, Sampling
from training.errors import RunRefused, TrainingError
from training.sheet import Row
from training.tasks import PLACEHOLDER, Task


class Tokenizer(Protocol):
    """What is used of a Hugging Face tokenizer."""

    eos_token_id: int | None
    bos_token_id: int | None
    bos_token: str | None
    chat_template: str | None
    all_special_tokens: list[str]

    def __call__(self, text: list[str], *, add_special_tokens: bool) -> dict[str, list[list[int]]]:
        """Turn texts into token ids."""

    def decode(self, token_ids: list[int]) -> str:
        """Turn token ids into text."""

    def apply_chat_template(
        self, conversation: list[dict[str, str]], *, tokenize: bool, add_generation_prompt: bool
    ) -> str:
        """Render messages."""


class Wording(NamedTuple):
    """How prompts are worded: for the manifest, and as a function over one prompt.

    Attributes:
        form: What the service renders.
        render: The same text, for one prompt.
        examples: Rows that stand worked out before every prompt.
    """

    form: PromptForm
    render: Callable[[str], str]
    examples: Sequence[Row] = ()


# Keeps the content of the last user message, whatever else a client sends.
_LAST_USER_MESSAGE = (
    "{% set last = namespace(text='') %}"
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{% set last.text = message['content'] %}{% endif %}"
    "{% endfor %}"
)


def word(task: Task, tokenizer: Tokenizer, examples: Sequence[Row] = ()) -> Wording:
    """Decide how prompts of a task are worded for a base model.

    Args:
        task: The kind of rows.
        tokenizer: Of the base model.
        examples: Rows to stand before every prompt, each as it would be asked and answered. Being
            the same for all, they are computed once where the engine caches prefixes.

    Raises:
        TrainingError: The base model's own chat template cannot render one user message, or has no
            place for examples.
    """
    sampling = Sampling(max_tokens=task.max_answer_tokens)
    stop = list(task.stop)
    of_base = task.chat_first and bool(tokenizer.chat_template)
    if examples and (of_base or task.raw):
        raise RunRefused(
            f"{len(examples)} worked examples have no place in raw text or in the base model's own "
            "chat template; expected a task with a form of its own. Set examples to 0, or choose "
            "another task."
        )
    if of_base:
        form = PromptForm(template=None, stop=stop, sampling=sampling)
        render = _chat_renderer(tokenizer)
        render("x")
        return Wording(form, render)
    before, after = task.prompt.split(PLACEHOLDER)
    worked = (f"{before}{row.prompt}{after}{row.output}\n\n" for row in examples)
    before = "".join([_bos_text(tokenizer), *worked, before])
    source = f"{_LAST_USER_MESSAGE}{{{{ {_quoted(before)} + last.text + {_quoted(after)} }}}}"
    form = PromptForm(template=source, stop=stop, sampling=sampling)

    def render_text(prompt: str) -> str:
        return f"{before}{prompt}{after}"

    for probe in ("x", "1 < 2 {{ x }} \\n ' \" %}\n\ny 小明"):
        served = template.render(source, [{"role": "user", "content": probe}])
        if served != render_text(probe):
            raise AssertionError(f"the template renders {served!r}, not {render_text(probe)!r}")
    return Wording(form, render_text, tuple(examples))


def word_as_served(form: PromptForm, task: Task, tokenizer: Tokenizer) -> Callable[[str], str]:
    """Word prompts as the service does for a version, whose manifest holds the form.

    Raises:
        TrainingError: The base model's own chat template, if that is used, cannot do it.
    """
    source = form.template
    if source is None:
        return word(task, tokenizer).render
    return lambda prompt: template.render(source, [{"role": "user", "content": prompt}])


def _chat_renderer(tokenizer: Tokenizer) -> Callable[[str], str]:
    def render(prompt: str) -> str:
        messages = [{"role": "user", "content": prompt}]
        try:
            return tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
        except (jinja2.TemplateError, ValueError, TypeError, KeyError) as error:
            raise TrainingError(
                f"The base model's chat template cannot render one user message ({error}). "
                "Expected a template that needs nothing else. Choose another base or task."
            ) from error

    return render


def _bos_text(tokenizer: Tokenizer) -> str:
    """The beginning-of-text token as text, if this model is used to one."""
    if tokenizer.bos_token is None or tokenizer.bos_token_id is None:
        return ""
    with_special = tokenizer(["x"], add_special_tokens=True)["input_ids"][0]
    return tokenizer.bos_token if with_special[:1] == [tokenizer.bos_token_id] else ""


def _quoted(text: str) -> str:
    """A Jinja string literal; Jinja reads the escapes of JSON alike."""
    return json.dumps(text, ensure_ascii=False)
