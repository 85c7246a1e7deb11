"""Spoiled files: every way a file of rows was seen to be bad, with what is to be said about it."""

import gzip
import json
from typing import NamedTuple

from training.tasks import TaskName


class Spoiled(NamedTuple):
    """A file and its verdict.

    Attributes:
        name: What is wrong with it.
        suffix: Of its name.
        content: Its bytes.
        problems: Line and code of each problem, in order.
        kept: Rows that can be used all the same.
        task: Its kind of rows.
    """

    name: str
    suffix: str
    content: bytes
    problems: list[tuple[int, str]]
    kept: int
    task: TaskName = "instruct"


def _csv(name: str, body: str, problems: list[tuple[int, str]], kept: int) -> Spoiled:
    return Spoiled(name, ".csv", f"prompt,output\n{body}".encode(), problems, kept)


def _lines(name: str, body: str, problems: list[tuple[int, str]], kept: int) -> Spoiled:
    return Spoiled(name, ".jsonl", body.encode(), problems, kept)


def _cot(name: str, output: str, problems: list[str], gold: str = "") -> Spoiled:
    row = {"prompt": "q", "output": output} | ({"gold": gold} if gold else {})
    found = [(1, code) for code in problems]
    kept = 0 if found else 1
    return Spoiled(name, ".jsonl", json.dumps(row).encode(), found, kept, "cot")


GOOD = '{"prompt": "a", "output": "b"}\n'

TABLES = [
    _csv("empty output", "a,b\nc,\n", [(3, "empty_output")], 1),
    _csv("blank output", 'a,b\nc,"  \t"\n', [(3, "empty_output")], 1),
    _csv("output of zero-width spaces", "a,b\nc,\u200b\u200b\n", [(3, "empty_output")], 1),
    _csv("empty prompt", "a,b\n,c\n", [(3, "empty_prompt")], 1),
    _csv("both empty", ",\na,b\n", [(2, "empty_prompt"), (2, "empty_output")], 1),
    _csv("duplicate", "a,b\nc,d\na,b\n", [(4, "duplicate")], 2),
    _csv("duplicate but for spaces", "a,b\n a ,b\n", [(3, "duplicate")], 1),
    _csv("prompt conflict", "a,b\na,c\n", [(3, "prompt_conflict")], 1),
    _csv("prompt equal to output", "same,same\na,b\n", [(2, "output_is_prompt")], 1),
    _csv("quoted newlines before it", '"x\ny\nz",b\nc,\n', [(5, "empty_output")], 1),
    _csv("row over lines is bad", 'a,b\n"x\ny",\nc,d\n', [(3, "empty_output")], 2),
    _csv("too few cells", "a,b\nc\nd,e\n", [(3, "cell_count")], 2),
    _csv("too many cells", "a,b\nc,d,e\nf,g\n", [(3, "cell_count")], 2),
    _csv("trailing comma", "a,b,\nc,d\n", [(2, "cell_count")], 1),
    _csv("unclosed quote", 'a,b\nc,"d\ne,f\ng,h\n', [(3, "unclosed_quote")], 3),
    _csv("unclosed quote at the end", 'a,b\nc,"d', [(3, "unclosed_quote")], 1),
    _csv("quotes not doubled", 'a,b\nc,"d "e" f"\ng,h\n', [(3, "malformed_csv")], 2),
    _csv("NUL byte", "a,b\nc,d\x00e\n", [(3, "control_character")], 1),
    _csv("escape character", "a,b\n\x1b[31mc,d\n", [(3, "control_character")], 1),
    _csv("byte order mark inside", "a,b\n\ufeffc,d\n", [(3, "control_character")], 1),
    _csv("replacement character", "a,b\nc,d\ufffd\n", [(3, "broken_encoding")], 1),
    _csv("UTF-8 read as Latin-1", "a,b\ncafÃ©,d\n", [(3, "broken_encoding")], 1),
    _csv("UTF-8 read as GBK", "a,b\n浣犲ソ涓栫晫,d\n", [(3, "broken_encoding")], 1),
    _csv("replaced, then read as GBK", "a,b\n锟斤拷锟斤拷,d\n", [(3, "broken_encoding")], 1),
    _csv("NaN of a data frame", "a,b\nc,NaN\nd,null\n", [(3, "null_value"), (4, "null_value")], 1),
    _csv("spreadsheet error", "a,b\nc,#REF!\n", [(3, "null_value")], 1),
    _csv("one huge row", f"a,b\nc,{'word ' * 40_000}\n", [(3, "too_long")], 1),
    _csv("one enormous row", f"a,b\nc,{'x' * (3 << 20)}\n", [(3, "too_long")], 1),
    _csv("header only", "", [(1, "no_rows")], 0),
    _csv("two files in one", "a,b\nprompt,output\nc,d\n", [(3, "repeated_header")], 2),
    _csv("blank lines between", "\na,b\n\n\nc,\n", [(6, "empty_output")], 1),
    Spoiled("nothing", ".csv", b"", [(1, "no_rows")], 0),
    Spoiled("blank lines only", ".csv", b"\n\n\n", [(1, "no_rows")], 0),
    Spoiled("no header", ".csv", b"a,b\nc,d\n", [(1, "missing_column")] * 2, 0),
    Spoiled("other header", ".csv", b"prompt,answer\na,b\n", [(1, "missing_column")], 0),
    Spoiled(
        "doubled header", ".csv", b"prompt,output,output\na,b,c\n", [(1, "duplicate_column")], 0
    ),
    Spoiled(
        "header behind blank lines", ".csv", b"\n\nprompt,answer\na,b\n", [(3, "missing_column")], 0
    ),
    Spoiled(
        "CR line ends", ".csv", b"prompt,output\ra,b\rc,\rd,e\r", [(3, "empty_output")], 2
    ),
    Spoiled(
        "CRLF line ends", ".csv", b'prompt,output\r\n"a\r\nb",c\r\nd,\r\n', [(4, "empty_output")], 1
    ),
    Spoiled("semicolons", ".csv", b"prompt;output\na;b\nc;\n", [(1, "delimiter"), (3, "empty_output")], 1),
    Spoiled("tabs", ".csv", b"prompt\toutput\na\tb\n", [(1, "delimiter")], 1),
    Spoiled("spaces in the header", ".csv", b" prompt , output \na,b\nc,\n", [(3, "empty_output")], 1),
    Spoiled("commas in a .tsv", ".tsv", b"prompt,output\na,b\n", [(1, "delimiter")], 1),
    Spoiled(
        "GBK", ".csv", "prompt,output\n小明有几个苹果?,三个苹果\n小红呢?,\n".encode("gbk"),
        [(1, "not_utf8"), (3, "empty_output")], 1,
    ),
    Spoiled(
        "UTF-16", ".csv", "prompt,output\na,b\nc,\n".encode("utf-16"),
        [(1, "not_utf8"), (3, "empty_output")], 1,
    ),
    Spoiled(
        "UTF-16 without mark", ".csv", "prompt,output\na,b\n".encode("utf-16-le"),
        [(1, "not_utf8")], 1,
    ),
    Spoiled(
        "one row in Latin-1", ".csv", "prompt,output\né,b\n".encode() + b"caf\xe9,d\ne,f\n",
        [(3, "broken_encoding")], 2,
    ),
    Spoiled(
        "one row in GBK", ".csv",
        "prompt,output\n小明,一\n小红,二\n".encode() + "小刚,三\n".encode("gbk"),
        [(4, "broken_encoding")] * 2, 2,
    ),
    Spoiled(
        "Big5", ".csv", "prompt,output\n小明有幾個蘋果？,三個蘋果\na,b\n".encode("big5"),
        [(2, "broken_encoding")] * 2, 1,
    ),
    Spoiled(
        "UTF-16 of the other order", ".jsonl",
        '\ufeff{"prompt": "a", "output": "b"}\n{"prompt": "c", "output": ""}\n'.encode("utf-16-be"),
        [(1, "not_utf8"), (2, "empty_output")], 1,
    ),
    Spoiled("NUL byte in the header", ".csv", b"prompt,output\x00\na,b\n", [(1, "missing_column")], 0),
    Spoiled("doubled prompt", ".csv", b"prompt,prompt,output\na,a,b\n", [(1, "duplicate_column")], 0),
    Spoiled(
        "line separators that end no line", ".jsonl",
        '{"prompt": "a\u2028x", "output": "b\u2028c"}\n{"prompt": "c", "output": ""}\n'.encode(),
        [(2, "empty_output")], 1,
    ),
    Spoiled(
        "form feed and next line that end no line", ".csv",
        'prompt,output\n"a\u2028x","b\x85c\x0cd"\nc,\n'.encode(),
        [(2, "control_character"), (2, "broken_encoding"), (3, "empty_output")], 0,
    ),
    Spoiled("a workbook", ".csv", b"PK\x03\x04\x14\x00\x06\x00", [(1, "not_text_file")], 0),
    Spoiled("an archive", ".jsonl", gzip.compress(b"{}"), [(1, "not_text_file")], 0),
    Spoiled("noise", ".csv", bytes(range(256)) * 4, [(1, "not_text_file")], 0),
]  # fmt: skip

JSON = [
    _lines("cut off", GOOD + '{"prompt": "c", "output": \n', [(2, "malformed_json")], 1),
    _lines("single quotes", GOOD + "{'prompt': 'c', 'output': 'd'}", [(2, "malformed_json")], 1),
    _lines("comma behind", GOOD + '{"prompt": "c", "output": "d"},\n', [(2, "malformed_json")], 1),
    _lines("comma inside", GOOD + '{"prompt": "c", "output": "d",}\n', [(2, "malformed_json")], 1),
    _lines("two on a line", GOOD + GOOD.strip() + GOOD, [(2, "malformed_json")], 1),
    _lines("raw newline", GOOD + '{"prompt": "c\nd", "output": "e"}\n',
           [(2, "malformed_json"), (3, "malformed_json")], 1),
    _lines("no output", GOOD + '{"prompt": "c"}\n', [(2, "missing_field")], 1),
    _lines("misspelt", GOOD + '{"prompt": "c", "ouput": "d"}\n', [(2, "missing_field")], 1),
    _lines("null", GOOD + '{"prompt": "c", "output": null}\n', [(2, "null_value")], 1),
    _lines("not a number", GOOD + '{"prompt": "c", "output": NaN}\n', [(2, "null_value")], 1),
    _lines("a number", GOOD + '{"prompt": "c", "output": 3}\n', [(2, "not_text")], 1),
    _lines("nested", GOOD + '{"prompt": {"text": "c"}, "output": "d"}\n', [(2, "not_text")], 1),
    _lines("a list", GOOD + '{"prompt": "c", "output": ["d"]}\n', [(2, "not_text")], 1),
    _lines("doubled field", GOOD + '{"prompt": "c", "output": "d", "output": "e"}\n',
           [(2, "duplicate_field")], 1),
    _lines("no object", GOOD + "[1, 2]\n3\n", [(2, "not_an_object"), (3, "not_an_object")], 1),
    _lines("blank lines", f"\n{GOOD}\n\n" + '{"prompt": "c", "output": " "}', [(5, "empty_output")], 1),
    _lines("lone surrogate", GOOD + '{"prompt": "\\ud800", "output": "d"}', [(2, "broken_encoding")], 1),
    _lines("bell", GOOD + '{"prompt": "c\\u0007", "output": "d"}', [(2, "control_character")], 1),
    _lines("deep", GOOD + "[" * 100_000, [(2, "malformed_json")], 1),
    _lines("huge number", GOOD + '{"prompt": "c", "output": "d", "n": %s}' % ("9" * 9000),
           [(2, "malformed_json")], 1),
    _lines("an array", '[\n {"prompt": "a", "output": "b"},\n {"prompt": "c", "output": ""}\n]\n',
           [(1, "other_format"), (3, "empty_output")], 1),
    _lines("objects over lines", '{\n "prompt": "a",\n "output": "b"\n}\n{\n "prompt": "c"\n}\n',
           [(1, "other_format"), (5, "missing_field")], 1),
    Spoiled("an open array", ".json", b'[{"prompt": "a", "output": "b"},\n{"prompt": "c", "out',
            [(2, "malformed_json")], 1),
    Spoiled("a broken element", ".json",
            b'[\n{"prompt": "a", "output": "b"},\n{"prompt": "c" "output": "d"},\n'
            b'{"prompt": "e", "output": "f"}\n]', [(3, "malformed_json")], 2),
    Spoiled("empty array", ".json", b"[]", [(1, "no_rows")], 0),
    Spoiled("empty file", ".jsonl", b"", [(1, "no_rows")], 0),
    Spoiled("CSV called .jsonl", ".jsonl", b"prompt,output\na,b\n",
            [(1, "malformed_json"), (2, "malformed_json")], 0),
]  # fmt: skip

TASKS_OF_THEIR_OWN = [
    Spoiled("program that fails", ".csv", b"prompt,output\na,return 1\nb,return x\n",
            [(3, "program_fails")], 1, "pseudocode"),
    Spoiled("program with another answer", ".csv", b"prompt,output,answer\na,return 1,1\nb,return 2,3\n",
            [(3, "program_wrong")], 1, "pseudocode"),
    _cot("wrong calculation", "3 × 4 = 13. Answer: 13", ["calculation_wrong"]),
    _cot("two wrong calculations", "3×4=13，13+1=15。答案：15", ["calculation_wrong"] * 2),
    _cot("no conclusion", "3 × 4 = 12. So there are 12.", ["conclusion_missing"]),
    _cot("no steps", "答案：12", ["steps_missing"]),
    _cot("conclusion first", "Answer: 12\nbecause 3 × 4 = 12", ["conclusion_not_last"]),
    _cot("conclusion is not gold", "首先，3×4=12。答案：12", ["conclusion_wrong"], gold="13"),
    _cot("conclusion from nowhere", "3 × 4 = 12. Answer: 15", ["conclusion_unsupported"]),
    Spoiled("section missing", ".jsonl",
            json.dumps({"prompt": "a", "output": "[Algorithm] x\n[Ideas] y\n[Reasons] z"}).encode(),
            [(1, "section_missing")], 0, "evolution"),
    Spoiled("section empty", ".jsonl",
            json.dumps({"prompt": "a", "output": "【算法】x\n【核心思想】\n【伪代码】y\n【理由】z"}).encode(),
            [(1, "section_empty")], 0, "evolution"),
    Spoiled("cut inside a sentence", ".csv", b"prompt,output\na,He ran.\nb,He ran and\n",
            [(3, "sentence_cut")], 1, "continuation"),
    Spoiled("dialogue left open", ".csv", "prompt,output\na,“去吧。”他说。\nb,他说：“去吧。\n".encode(),
            [(3, "quote_unbalanced")], 1, "continuation"),
    Spoiled("a story that changes its language", ".csv",
            "prompt,output\na,“去吧。”他说。\n夜色渐深，他推开门，走进了那间没有人住的旧屋子。,"
            "Nobody had lived there for a long time.\n".encode(),
            [(3, "language_switch")], 1, "continuation"),
    Spoiled("raw text in a table", ".csv", b"text,year\nOnce.,1\nOnce.,2\n,3\n",
            [(3, "duplicate"), (4, "empty_output")], 1, "raw"),
]  # fmt: skip

CORPUS = TABLES + JSON + TASKS_OF_THEIR_OWN
