"""Templates render exactly; what could make a small request expensive is not in the subset."""

import jinja2
import pytest
from pydantic import ValidationError
from transformers.utils.chat_template_utils import _compile_jinja_template

from adapters import template
from adapters.manifest import PromptForm

PSEUDOCODE = 'Question: {{ messages[-1].content }}\nAnswer (in pseudocode):{{ "\\n" }}'
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message.content }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STATEFUL = (
    "{% set ns = namespace(first=true) %}{% for m in messages %}"
    "{% if ns.first and m.role == 'system' %}{% set ns.first = false %}[{{ m.content | trim }}]"
    "{% elif m.role == 'user' %}{{ m.content.strip() ~ '!' }}{% else %}"
    "{{ raise_exception('unexpected role ' + m.role) }}{% endif %}{% endfor %}"
)
MESSAGES = [{"role": "system", "content": " be kind "}, {"role": "user", "content": "一加一 = ?"}]
GOOD = [PSEUDOCODE, CHATML, STATEFUL, "plain", "{{ messages[0]['content'] if messages else '' }}"]


@pytest.mark.parametrize("source", GOOD)
def test_renders_what_transformers_renders(source: str) -> None:
    """Training and serving may use either; the text must be the same to the byte."""
    expected = _compile_jinja_template(source).render(
        messages=MESSAGES, add_generation_prompt=True, bos_token="", eos_token=""
    )
    assert template.problem(source) is None
    assert template.render(source, MESSAGES) == expected


REFUSED = {
    "{% for a in messages %}{% for b in messages %}x{% endfor %}{% endfor %}": "loop within a loop",
    "{% for a in messages recursive %}{{ loop(a) }}{% endfor %}": "loop within a loop",
    "{% for a in range(100000) %}x{% endfor %}": "calls something else",
    "{{ 'x' * 1000000000 }}": "uses Mul",
    "{{ 9 ** 9 ** 9 }}": "uses Pow",
    "{{ '%1000000000d' % 1 }}": "uses Mod",
    "{{ 'x'.center(1000000000) }}": "calls something else",
    "{{ 'x' | center(1000000000) }}": "the filter 'center'",
    "{{ messages | join('x') }}": "the filter 'join'",
    "{% set x = 'ab' %}{% set x = x ~ x %}": "builds up a value",
    "{% set n = namespace(x='') %}{% set n.x = n.x + n.x %}": "builds up a value",
    "{% set x %}block{% endset %}": "uses AssignBlock",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "uses Macro",
    "{% include '/etc/passwd' %}": "uses Include",
    "{% import 'os' as os %}": "uses Import",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}": "calls something else",
    "{{ messages.append(1) }}": "calls something else",
    "{{ cycler.__init__.__globals__ }}": "cannot render one user message",
    "{{ messages[0].content }": "cannot render one user message",
    "{{ missing }}": "cannot render one user message",
    "{{ raise_exception('never') }}": "cannot render one user message .never.",
    "{{ messages[9].content }}": "cannot render one user message",
    "{{ " + " or ".join("1" * 300) + " }}": "nests deeper",
    "{{ " + " ~ ".join(["messages[0].content"] * 40) + " }}": "joins more than 32 values",
    "{{ messages[0].content + 1 }}": "cannot render one user message",
    "{{ messages[0].content.split('') }}": "cannot render one user message",
    "x" * 70_000: "more than 65536 bytes",
}


@pytest.mark.parametrize(("source", "reason"), REFUSED.items())
def test_refused_templates_say_what_is_wrong(source: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PromptForm(template=source)


def test_brackets_alone_do_not_nest() -> None:
    assert template.problem("{% if " + "(" * 50 + "1" + ")" * 50 + " %}x{% endif %}") is None


def test_a_template_may_refuse_messages() -> None:
    with pytest.raises(jinja2.TemplateError, match="unexpected role tool"):
        template.render(STATEFUL, [{"role": "tool", "content": "x"}])


def test_a_template_cannot_multiply_a_long_request() -> None:
    source = "{{ messages[0].content }}\n" * 50
    assert template.problem(source) is None
    with pytest.raises(jinja2.TemplateError, match="more than 4 times their length"):
        template.render(source, [{"role": "user", "content": "x" * 10_000}])


def test_an_error_of_the_expression_is_one_of_the_template() -> None:
    source = "{% if messages[0].content == 'y' %}{{ 1 + messages[0].content }}{% endif %}"
    assert template.problem(source) is None
    with pytest.raises(jinja2.TemplateError, match="unsupported operand"):
        template.render(source, [{"role": "user", "content": "y"}])
