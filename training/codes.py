"""Every code that a report on rows can carry: how grave it is, what it means, what to do.

The table in docs/training.md is made from this one. Codes are stable: programs read them.
"""

from typing import Literal, NamedTuple

Gravity = Literal["mend", "left out", "said", "look"]

GRAVITIES: dict[Gravity, str] = {
    "mend": "the row, or the whole file, cannot be used; training refuses the file until it is "
    "mended, or goes on without the row under `--bad-rows drop`",
    "left out": "the row is not trained on; training goes on without it",
    "said": "nothing is lost; the file was read in another way than its name says",
    "look": "the row is kept; look at it (listed under `warnings`)",
}


class Code(NamedTuple):
    """One kind of problem.

    Attributes:
        gravity: What follows from it, a key of `GRAVITIES`.
        meaning: What was found.
        remedy: What to do.
    """

    gravity: Gravity
    meaning: str
    remedy: str


class Problem(NamedTuple):
    """What is wrong at one line.

    Attributes:
        line: Of the file, the first being 1 and, for CSV, the header; where a row spans lines,
            its first; for Parquet, which has no lines, the row's number. 1 for the whole file.
        code: A key of `CODES`.
        message: One sentence for people.
    """

    line: int
    code: str
    message: str

    @property
    def gravity(self) -> Gravity:
        """What follows from it."""
        known = CODES.get(self.code)
        return known.gravity if known else "mend"

    def __str__(self) -> str:
        """One line for people."""
        return f"line {self.line}: {self.message} [{self.code}]"


CODES: dict[str, Code] = {
    # the file
    "unreadable": Code("mend", "the file cannot be opened", "check its path and rights"),
    "not_text_file": Code(
        "mend", "the file is not text: an archive, a spreadsheet, a picture", "export it as CSV"
    ),
    "no_rows": Code("mend", "there is no row in it", "add some"),
    "not_utf8": Code(
        "said", "the file is GB18030 (GBK), UTF-16 or UTF-32 and was read as such", "convert it"
    ),
    "delimiter": Code(
        "said", "cells are separated by something else than a comma", "nothing, if that is right"
    ),
    "other_format": Code(
        "said", "the content has another format than the name says", "rename the file"
    ),
    # its shape
    "missing_column": Code(
        "mend", "the header lacks a column that is needed", "rename it, or say `--columns`"
    ),
    "duplicate_column": Code("mend", "the header names a column twice", "rename one of them"),
    "repeated_header": Code("mend", "a row is the header once more", "remove it"),
    "cell_count": Code(
        "mend",
        "a row has more or fewer cells than the header",
        "put cells with commas or newlines in double quotes",
    ),
    "unclosed_quote": Code(
        "mend", "a quote is opened and never closed", "close it, and double quotes inside cells"
    ),
    "malformed_csv": Code(
        "mend", "quotes inside a cell are not doubled", 'write `""` inside `"…"`'
    ),
    "malformed_json": Code("mend", "a line is not JSON", "mend the syntax"),
    "not_an_object": Code(
        "mend", "a JSON value is no object", 'write `{"prompt": …, "output": …}`'
    ),
    "missing_field": Code(
        "mend", "a JSON object lacks a field that is needed", "add it, or say `--columns`"
    ),
    "duplicate_field": Code("mend", "a JSON object has a field twice", "remove one"),
    # cells
    "not_text": Code("mend", "a value is a number, list or object", "write it as text"),
    "null_value": Code(
        "mend", "a value is `null`, or a cell holds only `NaN`, `null` or `#N/A`", "fill it in"
    ),
    "empty_prompt": Code("mend", "the prompt is empty or blank", "fill it in or remove the row"),
    "empty_output": Code("mend", "the output is empty or blank", "fill it in or remove the row"),
    "control_character": Code("mend", "a control character is in the text", "remove it"),
    "broken_encoding": Code(
        "mend",
        "bytes that cannot be decoded, U+FFFD, or text decoded in the wrong way (`cafÃ©`)",
        "export the text again, as UTF-8",
    ),
    "special_token": Code(
        "mend", "the text holds a control token of the base model", "reword it (needs `--base`)"
    ),
    "output_is_prompt": Code("mend", "prompt and output are the same", "write the answer"),
    "too_long": Code(
        "left out",
        "more tokens than `--max-length-tokens`; without `--base` only what is surely longer",
        "shorten it, or raise the limit",
    ),
    # rows beside others
    "duplicate": Code("left out", "the same prompt and output as an earlier row", "remove one"),
    "worked_example": Code(
        "left out", "the row stands before every prompt as a worked example", "nothing"
    ),
    "prompt_conflict": Code(
        "left out",
        "another output for the prompt of an earlier row, not known to be right as well",
        "decide for one",
    ),
    "empty_rejected": Code(
        "mend", "dpo: there is no answer to avoid", "fill the column `rejected`"
    ),
    "no_preference": Code("mend", "dpo: both answers are the same", "change one"),
    "leak": Code("mend", "a held-out row has the prompt of a training row", "take one out"),
    # the task
    "program_fails": Code(
        "mend", "pseudocode: the program cannot be parsed or run", "mend the program"
    ),
    "program_wrong": Code(
        "mend", "pseudocode: the program gives another answer than the gold column", "mend it"
    ),
    "steps_missing": Code("mend", "cot: there is no step before the conclusion", "add the steps"),
    "calculation_wrong": Code(
        "mend", "cot: a stated calculation does not come out", "mend it, or say `--repair`"
    ),
    "conclusion_missing": Code("mend", "cot: no `Answer: N` or `答案：N`", "end with one"),
    "conclusion_not_last": Code("mend", "cot: text follows the conclusion", "put it last"),
    "conclusion_wrong": Code("mend", "cot: the conclusion is not the gold answer", "mend it"),
    "conclusion_unsupported": Code(
        "mend", "cot: without gold answer, the conclusion is no result of any step", "mend it"
    ),
    "section_missing": Code("mend", "evolution: the output lacks a section", "add it"),
    "section_empty": Code("mend", "evolution: a section has no text", "fill it in"),
    "not_a_verdict": Code(
        "mend", "verifier: the output is neither `right` nor `wrong`", "write one of the two"
    ),
    "sentence_cut": Code(
        "mend", "continuation: the output ends inside a sentence", "cut at a sentence's end"
    ),
    "quote_unbalanced": Code(
        "mend",
        "continuation: a quotation is opened and not closed, or closed only",
        "cut elsewhere",
    ),
    "language_switch": Code(
        "mend",
        "continuation: the opening is in Chinese and the output is not, or the other way round",
        "pair texts of one language",
    ),
    # worth a look
    "column_name": Code("look", "a column was found by a name in other letters", "rename it"),
    "null_like": Code("look", "a cell holds only `None`, `N/A`, `undefined` or `-`", "check it"),
    "invisible_character": Code(
        "look", "zero-width or direction characters are in the text", "remove them"
    ),
    "outer_space": Code("look", "the output begins or ends with spaces, which are trained", "trim"),
    "html": Code("look", "HTML tags or entities are in the text", "strip them, unless meant"),
    "output_in_prompt": Code("look", "the output stands in the prompt already", "check the row"),
    "prompt_in_output": Code("look", "the output repeats the prompt first", "remove it there"),
    "near_duplicate": Code("look", "the prompt is nearly that of an earlier row", "keep one"),
    "other_language": Code("look", "the prompt is in another language than nearly all", "check it"),
    "near_leak": Code("look", "a held-out prompt is nearly that of a training row", "take one out"),
}


def table() -> str:
    """The codes as a Markdown table."""
    lines = ["| code | found | what to do | row |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {code.meaning} | {code.remedy} | {code.gravity} |"
        for name, code in CODES.items()
    ]
    return "\n".join(lines)
