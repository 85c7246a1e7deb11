"""A question with everything that decides how the engine is asked it."""

from dataclasses import dataclass

from pseudocode.grammar import grammar_text
from pseudocode.grounding import grounded_grammar
from service.engine.errors import RequestRefused
from service.engine.protocol import JSON
from service.solving.options import SolveOptions


@dataclass(frozen=True)
class Question:
    """What is to be solved and how.

    Attributes:
        text: The question.
        options: How.
        body: A chat body that asks it: messages, and limits if the client set any.
    """

    text: str
    options: SolveOptions
    body: JSON

    def constrained(self) -> JSON:
        """The body with the grammar that was asked for.

        Raises:
            RequestRefused: The question gives too many numbers for a grammar.
        """
        if self.options.grammar == "none":
            return self.body
        if self.options.grammar == "dialect":
            return {**self.body, "structured_outputs": {"grammar": grammar_text(comments=False)}}
        try:
            grammar = grounded_grammar(self.text, self.options.language)
        except ValueError as error:
            raise RequestRefused(400, str(error), "question") from error
        return {**self.body, "structured_outputs": {"grammar": grammar}}
