"""One canonical text per program, in either language."""

import pytest

from pseudocode import parse
from pseudocode.formatter import format_program
from pseudocode.grammar import LEVELS, Level
from pseudocode.words import FORMS, Language
from tests.pseudocode.random_programs import random_program

LANGUAGES: tuple[Language, ...] = ("en", "zh")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a=((1+2))*3\nreturn(a)", "a = (1 + 2) * 3\nreturn a\n"),
        ("return 1-(2-3)-(4*5)", "return 1 - (2 - 3) - 4 * 5\n"),
        ("return (-2)**2+-(3)**2", "return (-2) ** 2 + -3 ** 2\n"),
        ("return 2**(3**2)*(2**3)**2", "return 2 ** 3 ** 2 * (2 ** 3) ** 2\n"),
        ("return 4.50 + 2.0 + 20.0%", "return 4.5 + 2 + 20%\n"),
        ("return (1<2)==(3>4)", "return (1 < 2) == (3 > 4)\n"),
        ("return -(1+2) - -3  #  km/h", "return -(1 + 2) - -3 # km/h\n"),
        ("返回 min( 1,2 )", "return min(1, 2)\n"),
        ('t={"a":(1<2),"b":-1}\nreturn t["a"]', 't = {"a": 1 < 2, "b": -1}\nreturn t["a"]\n'),
        ('x=ask ("a"+"b")\nreturn x', 'x = ask "a" + "b"\nreturn x\n'),
    ],
)
def test_a_program_is_written_in_one_way(source: str, text: str) -> None:
    assert format_program(parse(source)) == text


def test_blocks_are_indented_and_have_the_words_of_one_language() -> None:
    source = (
        "xs = [1]\n如果 length(xs)>0 then\nrepeat 2 次\nappend 3 到 xs\nend\nelif 1 那么\nx=1\nelse\n"
        "return 0\n结束\nfor each x 在 xs\n当 x<3 时\nx=x+1\nend\nend\nreturn xs[0]"
    )
    english = """xs = [1]
if length(xs) > 0 then
  repeat 2 times
    append 3 to xs
  end
else if 1 then
  x = 1
else
  return 0
end
for each x in xs
  while x < 3
    x = x + 1
  end
end
return xs[0]
"""
    chinese = """xs = [1]
如果 length(xs) > 0 那么
  重复 2 次
    追加 3 到 xs
  结束
否则如果 1 那么
  x = 1
否则
  返回 0
结束
对每个 x 在 xs
  当 x < 3 时
    x = x + 1
  结束
结束
返回 xs[0]
"""
    program = parse(source)
    assert format_program(program) == english
    assert format_program(program, "zh") == chinese
    assert parse(english) == parse(chinese) == program


@pytest.mark.parametrize("level", LEVELS)
def test_a_formatted_program_is_the_same_program_and_stays_as_it_is(level: Level) -> None:
    for seed in range(200):
        program = parse(random_program(seed, level))
        for language in LANGUAGES:
            text = format_program(program, language)
            again = parse(text, level=level)
            assert again == program
            assert format_program(again, language) == text


def test_every_kind_of_row_has_a_form_in_both_languages() -> None:
    assert all(set(forms) == set(LANGUAGES) for forms in FORMS.values())


def test_a_long_chain_and_a_deep_block_are_written_in_time() -> None:
    chain = f"return 1{'+1' * 15_000}"
    assert parse(format_program(parse(chain))) == parse(chain)
    deep = "if 1 then\n" * 64 + "a = 1\n" + "end\n" * 64 + "return 1"
    assert parse(format_program(parse(deep))) == parse(deep)
