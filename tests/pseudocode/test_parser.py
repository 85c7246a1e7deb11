"""Text becomes a program, or an error that says where and why not."""

from fractions import Fraction

import pytest

from pseudocode import Limits, ParseError, parse
from pseudocode.errors import Code
from pseudocode.program import Apply, Line, Name, Number


def refusal(source: str, limits: Limits | None = None) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse(source, limits or Limits())
    return caught.value


def test_a_line_keeps_its_place_its_text_and_postfix_code() -> None:
    program = parse("\ncost = 3*4.50\n\nreturn  20 - cost\n")
    assert program.lines == (
        Line(
            2, "cost", (Number(Fraction(3)), Number(Fraction(9, 2)), Apply("multiply", 2)), "3*4.50"
        ),
        Line(
            4,
            "return",
            (Number(Fraction(20)), Name("cost"), Apply("subtract", 2)),
            "20 - cost",
            "return",
        ),
    )
    assert [(line.number, line.text) for line in program.lines] == [(2, "3*4.50"), (4, "20 - cost")]


@pytest.mark.parametrize(
    "source",
    [
        "\r\na = 1 + 2\r\n\r\nreturn a\r\n",
        "  a   =\t1  +  2\n\treturn a",
        "a=1+2\nreturn a",
        "\n\n\na = 1 + 2\n\n\nreturn a\n\n\n",
    ],
)
def test_white_space_does_not_change_a_program(source: str) -> None:
    code = [line.code for line in parse("a = 1 + 2\nreturn a").lines]
    assert [line.code for line in parse(source).lines] == code


@pytest.mark.parametrize(
    ("source", "code", "line"),
    [
        ("", "empty", None),
        (" \n\n\t", "empty", None),
        ("a = 1", "no_return", 1),
        ("a = 1\n\nb = (a +", "no_return", 3),
        ("returna", "syntax", 1),
        ("return 1\nreturn 2", "text_after_return", 1),
        ("return 1\n\nThe answer is 1.", "text_after_return", 1),
        ("a = 1\nb = = 2\nreturn a", "syntax", 2),
        ("\n\na = 5 return a", "syntax", 3),
        ("a = 1; return a", "syntax", 1),
        ("return", "syntax", 1),
        ("return (1\nb = 2", "syntax", 1),
        ("return 1 +\nreturn 2", "syntax", 1),
        ("import os\nreturn 1", "syntax", 1),
        ("return min 1", "syntax", 1),
        ("return min()", "syntax", 1),
        ("return 20%3", "syntax", 1),
        ("return 1,000", "syntax", 1),
        ("return '1'", "syntax", 1),
        ("return 总数 总数", "syntax", 1),
        ("return __import__('os')", "unknown_function", 1),
        ("a = 1\nreturn sqrt(a)", "unknown_function", 2),
        ("return = 3\nreturn 1", "reserved_name", 1),
        ("a = 1\nask = 3\nreturn a", "reserved_name", 2),
        ("返回 = 3\n返回 1", "reserved_name", 1),
        ("if 1 then\na = 2\nreturn a", "no_end", 1),
        ("a = 1\nrepeat 3 times\nif a then\na = 2\nend\nreturn a", "no_end", 2),
        ("if 1 then\na = 2\nend", "no_return", 3),
        ("a = 1\nend\nreturn a", "syntax", 2),
        ("if 1 then\nend\nreturn 1", "syntax", 2),
        ("else\nreturn 1", "syntax", 1),
        ("if 1\na = 2\nend\nreturn a", "syntax", 1),
        ("repeat 3\na = 2\nend\nreturn a", "syntax", 1),
        ("for x in xs\na = 2\nend\nreturn a", "syntax", 1),
        ("return [1, 2", "syntax", 1),
        ("a = [1] [0]\nreturn a", "syntax", 1),
        ("x = ask\nreturn x", "syntax", 1),
        ("return 'a'", "syntax", 1),
        ('return "a', "syntax", 1),
    ],
)
def test_a_text_that_is_no_program_says_where_and_why(
    source: str, code: str, line: int | None
) -> None:
    error = refusal(source)
    assert (error.code, error.line) == (code, line)


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("", ("is empty", "expected lines", "Write at least")),
        ("a = 1", ("`a = 1`", "expected `return expression`", "Add it")),
        ("return 1\nx = 2", ("`x = 2`", "expected the end", "Move it")),
        ("a = b c\nreturn a", ("`a = b c` has ` c`", "expected an operator", "Correct the line")),
        ("a = * 2\nreturn a", ("has `* 2`", "expected a number, a name", "Correct the line")),
        ("a = 2 *\nreturn a", ("has its end", "expected a number, a name", "Correct the line")),
        (
            "total 5\nreturn 1",
            ("has `total 5`", "expected `name = expression`", "Correct the line"),
        ),
        ("return min 5", ("has ` 5`", "expected an operator", "Correct the line")),
        (
            "if 1 than\na = 1\nend\nreturn a",
            ("has ` than`", "the form `if condition then`", "Correct"),
        ),
        ("重复 3 遍\na = 1\n结束\n返回 a", ("has ` 遍`", "the form `重复 次数 次`", "Correct")),
        ("if 1 then\na = 1", ("`if 1 then` is not closed", "expected a line `end`", "Add them")),
        ("5\nreturn 1", ("has `5`", "expected `name = expression`", "Correct the line")),
        ("return sqrt(4)", ("`sqrt`", "expected one of abs, ceil", "Write it with those")),
        ("return = 4", ("`return`", "expected any name except ask", "Choose another name")),
    ],
)
def test_a_message_names_the_fault_what_was_found_what_was_expected_and_a_remedy(
    source: str, parts: tuple[str, ...]
) -> None:
    message = refusal(source).message
    assert [part for part in parts if part not in message] == []
    assert message.endswith(".")


def test_a_long_line_is_quoted_in_part() -> None:
    message = refusal("return 1" + " + 1" * 500 + " +").message
    assert "1 + 1..." in message or "+..." in message or " ..." in message
    assert len(message) < 400


@pytest.mark.parametrize(
    "nested",
    ["({})", "-{}", "2 ** {}", "abs({})", "min(0, {})", "[{}]", "xs[{}]", "(1 < {})"],
)
def test_what_nests_is_bounded(nested: str) -> None:
    def program(depth: int) -> str:
        expression = "1"
        for _ in range(depth):
            expression = nested.format(expression)
        return f"a = 1\nreturn {expression}"

    assert parse(program(64)).lines
    error = refusal(program(65))
    assert (error.code, error.line) == (Code.TOO_DEEP, 2)
    assert "65 deep; at most 64" in error.message
    assert parse(program(65), Limits(max_depth=65)).lines
    assert refusal(program(3), Limits(max_depth=2)).code == Code.TOO_DEEP


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%"])
def test_a_long_chain_does_not_nest(symbol: str) -> None:
    (line,) = parse("return " + f" {symbol} ".join(["1"] * 1000)).lines
    assert len(line.code) == 1999


def test_the_length_is_counted_in_bytes() -> None:
    source = "总数 = 1\nreturn 总数"
    size_bytes = len(source.encode())
    assert parse(source, Limits(max_source_bytes=size_bytes)).lines
    error = refusal(source, Limits(max_source_bytes=size_bytes - 1))
    assert (error.code, error.line) == (Code.SOURCE_TOO_LONG, None)
    assert f"{size_bytes} bytes; at most {size_bytes - 1}" in error.message


def test_a_literal_has_a_bounded_number_of_digits() -> None:
    assert parse(f"return {'9' * 1000}").lines
    assert parse(f"return 0.{'9' * 999}").lines
    for literal in ("9" * 1001, "0." + "9" * 1000, "9" * 50_000):
        error = refusal(f"a = 1\n\nreturn {literal}")
        assert (error.code, error.line) == (Code.NUMBER_TOO_LONG, 3)


def test_building_the_parser_does_not_search_for_overlapping_terminals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parse("return 1")  # lark reads its own grammar language once, with that search

    def search(*_arguments: object) -> None:
        raise AssertionError("half a second is lost here")

    monkeypatch.setattr("lark.lexer._check_regex_collisions", search)
    assert parse("return 1", Limits(max_depth=17)).lines


def test_lines_that_are_comments_do_not_matter() -> None:
    assert parse("return 5\n# answer: 5\n\n  # another") == parse("return 5")
    program = parse("# a shop\nif 2 > 1 then\n  # 然后\n  x = 3 # pens\nend\nreturn x")
    assert [line.number for line in program.lines] == [2, 4, 5, 6]
    assert program.lines[1].unit == "pens"
    with pytest.raises(ParseError):
        parse("# only a comment")
