"""Prompt templates: a subset of Jinja whose cost is bounded by the template and the messages.

Loops do not nest, nothing is multiplied or accumulated, so no template can make a small
request expensive. Whitespace is treated as transformers treats chat templates.
"""

from collections.abc import Iterator, Mapping, Sequence

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEMPLATE_BYTES = 64 << 10
MAX_NESTING = 100
MAX_GROWTH = 4
MAX_JOINED = 32
FILTERS = {"capitalize", "default", "first", "last", "length", "list", "lower", "trim", "upper"}
METHODS = {"endswith", "get", "lower", "lstrip", "rstrip", "split", "startswith", "strip", "upper"}
FUNCTIONS = {"namespace", "raise_exception"}
JOINING = (nodes.Concat, nodes.Add)
ASSIGNABLE = (
    nodes.Const,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Slice,
    nodes.Neg,
    nodes.Compare,
    nodes.Operand,
    nodes.Test,
    nodes.Not,
    nodes.And,
    nodes.Or,
    nodes.CondExpr,
    nodes.Filter,
    nodes.Call,
    nodes.Keyword,
)
ALLOWED = (
    *ASSIGNABLE,
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.For,
    nodes.If,
    nodes.Assign,
    nodes.NSRef,
    *JOINING,
)

Messages = Sequence[Mapping[str, str]]


def render(source: str, messages: Messages) -> str:
    """Render a prompt template over chat messages.

    Args:
        source: A template that `problem` has nothing against.
        messages: Each with `role` and `content`, oldest first.

    Raises:
        jinja2.TemplateError: The template refuses these messages, or makes far more of them.
    """
    template = _environment().from_string(source)
    content_chars = sum(len(text) for message in messages for text in message.values())
    left_chars = MAX_GROWTH * content_chars + len(source) * (1 + len(messages))
    pieces = []
    try:
        for piece in template.generate(
            messages=messages, add_generation_prompt=True, bos_token="", eos_token=""
        ):
            pieces.append(piece)
            left_chars -= len(piece)
            if left_chars < 0:
                raise jinja2.TemplateRuntimeError(
                    f"it makes more than {MAX_GROWTH} times their length of these messages"
                )
    except (TypeError, ValueError) as error:
        raise jinja2.TemplateRuntimeError(str(error)) from error
    return "".join(pieces)


def problem(source: str) -> str | None:
    """Say what is wrong with a template, or `None` if it may be served."""
    if len(source.encode("utf-8", "surrogatepass")) > MAX_TEMPLATE_BYTES:
        return f"the template has more than {MAX_TEMPLATE_BYTES} bytes; shorten it"
    try:
        tree = _environment().parse(source)
        refused = next(_refusals(tree, loops=0, depth=0), None)
        if refused is None:
            render(source, [{"role": "user", "content": "x"}])
    except (jinja2.TemplateError, RecursionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        return f"the template cannot render one user message ({reason}); mend it"
    return refused


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.globals = {
        "namespace": environment.globals["namespace"],
        "raise_exception": _raise_exception,
    }
    return environment


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _refusals(node: nodes.Node, *, loops: int, depth: int) -> Iterator[str]:
    """Yield what the subset has no room for, outermost first."""
    kind = type(node).__name__
    if depth > MAX_NESTING:
        yield f"the template nests deeper than {MAX_NESTING}; simplify it"
        return
    if not isinstance(node, ALLOWED):
        yield f"the template uses {kind}, which is not in the permitted subset; remove it"
        return
    if isinstance(node, nodes.For):
        loops += 1
        if loops > 1 or node.recursive:
            yield "the template has a loop within a loop; use one loop over messages"
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        yield f"the template uses the filter {node.name!r}; permitted are {_listed(FILTERS)}"
    if isinstance(node, nodes.Call) and not _may_call(node.node):
        yield f"the template calls something else than {_listed(METHODS | FUNCTIONS)}; remove it"
    if isinstance(node, nodes.Assign) and not all(map(_is_flat, _inside(node.node))):
        yield "the template builds up a value in `set`; write it out where it is used"
    if isinstance(node, JOINING) and sum(1 for _ in node.find_all(nodes.Name)) > MAX_JOINED:
        yield f"the template joins more than {MAX_JOINED} values at once; write them one by one"
    for child in node.iter_child_nodes():
        yield from _refusals(child, loops=loops, depth=depth + 1)


def _inside(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    yield from node.find_all(nodes.Node)


def _is_flat(node: nodes.Node) -> bool:
    return isinstance(node, ASSIGNABLE)


def _may_call(called: nodes.Expr) -> bool:
    if isinstance(called, nodes.Name):
        return called.name in FUNCTIONS
    return isinstance(called, nodes.Getattr) and called.attr in METHODS


def _listed(words: set[str]) -> str:
    return ", ".join(sorted(words))
