"""The templates of word problems: what a file may hold, and reading one.

A template is data (`english.yaml`, `chinese.yaml`); everything in it is checked here, once, so that
drawing from it can trust it. This module knows nothing of splits or of how programs are run.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from training.problems.errors import ProblemError
from training.problems.quantities import Quantity
from training.problems.quantities import parse as parse_quantity
from training.problems.wording import Slot, Wording, parse, parse_lines

Language = Literal["en", "zh"]

_FILES: dict[Language, str] = {"en": "english.yaml", "zh": "chinese.yaml"}
_OPERATION = re.compile(r"\*\*|//|[-+*/%]|\b(?:min|max|abs|round|floor|ceil)\b")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WordList(_Strict):
    """Words that fill one kind of slot; `apples/apple` with forms `many, one` has two forms."""

    forms: tuple[str, ...] = ("plain",)
    words: tuple[str, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _every_word_has_every_form(self) -> "WordList":
        wrong = [word for word in self.words if word.count("/") + 1 != len(self.forms)]
        if wrong:
            raise ValueError(f"{wrong} do not have the forms {'/'.join(self.forms)}; write them")
        if doubled := [word for word, times in Counter(self.words).items() if times > 1]:
            raise ValueError(f"{doubled} occur twice; delete the copies")
        return self

    def form_of(self, word: str, form: str | None) -> str:
        """Return one form of a word of this list, the first when `form` is `None`."""
        return word.split("/")[self.forms.index(form) if form else 0]


class Template(_Strict):
    """One word problem without its numbers and words."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    family: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    text: Annotated[Wording, PlainValidator(parse)]
    numbers: dict[str, Annotated[Quantity, PlainValidator(parse_quantity)]]
    program: Annotated[Wording, PlainValidator(parse_lines)]
    values: Literal["whole", "decimal"] = "whole"
    maximum: int = Field(default=10_000, gt=0)

    @cached_property
    def operations(self) -> int:
        """How many operations the program does."""
        return sum(len(_OPERATION.findall(text)) for text in self.program.literals())

    @cached_property
    def drawing_order(self) -> tuple[str, ...]:
        """The names of the numbers, each after those its range depends on."""
        needs = {
            name: [part for part in quantity.references() if part in self.numbers]
            for name, quantity in self.numbers.items()
        }
        return tuple(TopologicalSorter(needs).static_order())

    @model_validator(mode="after")
    def _numbers_can_be_drawn_in_some_order(self) -> "Template":
        try:
            _ = self.drawing_order
        except CycleError as error:
            raise ValueError(
                f"{self.id}: the ranges of {error.args[1]} depend on each other; free one of them"
            ) from error
        return self

    def problems(self, words: dict[str, WordList]) -> Iterator[str]:
        """Yield what does not hold together, one sentence each."""
        last = list(self.program.literals())[-1].splitlines()[-1]
        if not last.startswith("return "):
            yield f"{self.id}: the program ends in {last!r}; end it with `return name`"
        if not 1 <= self.operations <= 4:
            yield f"{self.id}: {self.operations} operations; expected one to four"
        in_text = {slot.name for slot in self.text.slots()}
        for name in self.numbers.keys() - in_text:
            yield f"{self.id}: number {name!r} is not in the text; use or delete it"
        drawn = in_text | self.numbers.keys()
        for slot in [*self.text.slots(), *self.program.slots(), *self._references()]:
            if slot.name not in drawn:
                yield f"{self.id}: {slot} is in the program but not in the text"
            elif slot.name not in self.numbers:
                yield from self._unknown_word(slot, words)

    def _references(self) -> Iterator[Slot]:
        for quantity in self.numbers.values():
            for name in quantity.references():
                base, _, form = name.partition(".")
                yield Slot(base, form or None)

    def _unknown_word(self, slot: Slot, words: dict[str, WordList]) -> Iterator[str]:
        found = words.get(list_name(slot.name))
        if found is None:
            yield f"{self.id}: {slot} is neither a number nor a word list ({', '.join(words)})"
        elif slot.form and slot.form not in found.forms:
            yield f"{self.id}: {slot} has no such form; expected {', '.join(found.forms)}"


class Collection(_Strict):
    """Everything one language's file holds."""

    words: dict[str, WordList]
    templates: tuple[Template, ...]

    @model_validator(mode="after")
    def _templates_hold_together(self) -> "Collection":
        problems = [
            problem for template in self.templates for problem in template.problems(self.words)
        ]
        ids = Counter(template.id for template in self.templates)
        problems += [
            f"{name}: {times} templates have this id" for name, times in ids.items() if times > 1
        ]
        used = {
            list_name(slot.name) for template in self.templates for slot in template.text.slots()
        }
        problems += [f"word list {name!r} is in no text" for name in self.words.keys() - used]
        if problems:
            raise ValueError("\n".join(problems))
        return self


def list_name(slot_name: str) -> str:
    """Return the word list a slot draws from: `name2` is a second, different `name`."""
    return slot_name.rstrip("0123456789")


@cache
def load(language: Language) -> Collection:
    """Return the templates of a language, read once per process.

    Raises:
        ProblemError: The file cannot be read or does not hold together.
    """
    return read(Path(__file__).with_name(_FILES[language]))


def read(path: Path) -> Collection:
    """Read and check a file of templates.

    Raises:
        ProblemError: It cannot be read or does not hold together; every reason is named.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506  # safe
        return Collection.model_validate(content)
    except (OSError, yaml.YAMLError) as error:
        raise ProblemError(f"{path} cannot be read as YAML: {error}. Correct the file.") from error
    except ValidationError as error:
        reasons = "\n".join(
            f"  - {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise ProblemError(f"{path} has templates that do not hold together:\n{reasons}") from error
