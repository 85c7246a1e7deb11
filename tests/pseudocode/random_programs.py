"""Random programs of every level, thousands a second, from a seed.

Their names are always defined before they are used and their loops end, so that most of them run.
"""

from random import Random

from pseudocode.grammar import Level

FUNCTIONS = ("abs", "round", "floor", "ceil")
OPERATORS = ("+", "-", "*", "/", "//", "%")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
NAMES = (
    "a",
    "b",
    "price",
    "总数",
    "剩下",
    "end",
    "times",
    "min",
    "class_",
    "return_",
    "if",
    "lambda",
)
WORDS = {
    "return": ("return", "返回"),
    "if": ("if", "如果"),
    "then": ("then", "那么"),
    "else if": ("else if", "elif", "否则如果"),
    "else": ("else", "否则"),
    "end": ("end", "结束"),
    "repeat": ("repeat", "重复"),
    "times": ("times", "次"),
    "while": ("while", "当"),
    "do": ("", " do", " 时"),
    "for each": ("for each", "对每个"),
    "in": ("in", "在"),
    "append": ("append", "追加"),
    "to": ("to", "到"),
    "ask": ("ask", "询问"),
}
UNITS = ("", "", "", "", " # km/h", " # 元", " # dollars per pen", " # m^2")


class Writer:
    """Writes one program; `rows` are its lines."""

    def __init__(self, seed: int, level: Level, *, percent: bool = True) -> None:
        self.random = Random(seed)  # noqa: S311 - nothing secret
        self.level = level
        self.percent = percent
        self.numbers: list[str] = []
        self.lists: list[str] = []
        self.rows: list[str] = []

    def text(self, max_rows: int = 6) -> str:
        for _ in range(self.random.randint(0, max_rows)):
            self.statement(2)
        self.rows.append(f"{self.word('return')} {self.expression(2)}{self.unit()}")
        return "\n".join(self.rows)

    def word(self, kind: str) -> str:
        return self.random.choice(WORDS[kind])

    def unit(self) -> str:
        return self.random.choice(UNITS)

    def statement(self, depth: int) -> None:
        forms = [self.assignment]
        if self.level != "straight":
            forms += [self.new_list, *([self.appending] * 2 if self.lists else [])]
        if self.level == "task":
            forms += [self.leaf, self.table]
        if self.level != "straight" and depth:
            blocks = [self.condition, self.repetition, self.bounded_while, self.each]
            if self.random.random() < 0.5:
                self.random.choice(blocks)(depth)
        self.random.choice(forms)()

    def block(self, depth: int) -> None:
        known = len(self.numbers), len(self.lists)
        for _ in range(self.random.randint(1, 2)):
            self.statement(depth - 1)
        if self.random.random() < 0.1:
            self.rows.append(f"{self.word('return')} {self.expression(1)}")
        # What only a block defines is not known after it.
        del self.numbers[known[0] :], self.lists[known[1] :]

    def new_name(self, prefix: str = "") -> str:
        return prefix + self.random.choice(NAMES)

    def assignment(self) -> None:
        name = self.new_name()
        self.rows.append(f"{name} = {self.expression(3)}{self.unit()}")
        self.numbers.append(name)

    def new_list(self) -> None:
        items = ", ".join(self.expression(1) for _ in range(self.random.randint(0, 4)))
        name = self.new_name("l_")
        self.rows.append(f"{name} = [{items}]")
        self.lists.append(name)

    def appending(self) -> None:
        name = self.random.choice(self.lists)
        self.rows.append(f"{self.word('append')} {self.expression(2)} {self.word('to')} {name}")

    def leaf(self) -> None:
        name = self.new_name()
        self.rows.append(f'{name} = {self.word("ask")} "how many 苹果?"')
        self.numbers.append(name)

    def table(self) -> None:
        name = self.new_name("t_")
        keys = self.random.sample(['"a"', '"b c"', '"苹果"', "3"], 2)
        self.rows.append(
            f"{name} = {{{keys[0]}: {self.expression(1)}, {keys[1]}: {self.expression(1)}}}"
        )
        self.rows.append(f"{self.new_name('x_')} = {name}[{keys[1]}]")

    def condition(self, depth: int) -> None:
        self.rows.append(f"{self.word('if')} {self.truth()} {self.word('then')}")
        self.block(depth)
        for _ in range(self.random.choice([0, 0, 1, 2])):
            self.rows.append(f"{self.word('else if')} {self.truth()} {self.word('then')}")
            self.block(depth)
        if self.random.random() < 0.5:
            self.rows.append(self.word("else"))
            self.block(depth)
        self.rows.append(self.word("end"))

    def truth(self) -> str:
        if self.random.random() < 0.2:
            return self.expression(1)
        comparison = self.random.choice(COMPARISONS)
        return f"{self.expression(1)} {comparison} {self.expression(1)}"

    def repetition(self, depth: int) -> None:
        self.rows.append(f"{self.word('repeat')} {self.random.randint(0, 3)} {self.word('times')}")
        self.block(depth)
        self.rows.append(self.word("end"))

    def bounded_while(self, depth: int) -> None:
        counter = f"counter_{len(self.rows)}"
        self.rows.append(f"{counter} = 0")
        limit = self.random.randint(0, 3)
        self.rows.append(f"{self.word('while')} {counter} < {limit}{self.word('do')}")
        self.block(depth)
        self.rows += [f"{counter} = {counter} + 1", self.word("end")]

    def each(self, depth: int) -> None:
        if self.lists:
            name = self.new_name()
            listed = self.random.choice(self.lists)
            self.rows.append(f"{self.word('for each')} {name} {self.word('in')} {listed}")
            known = len(self.numbers)
            self.numbers.append(name)
            self.block(depth)
            del self.numbers[known:]
            self.rows.append(self.word("end"))

    def expression(self, depth: int) -> str:
        if not depth or self.random.random() < 0.3:
            return self.atom()
        form = self.random.randint(0, 9)
        if form < 5:
            return f"{self.part(depth)} {self.random.choice(OPERATORS)} {self.part(depth)}"
        if form == 5:
            return f"{self.atom()} ** {self.random.randint(-2, 3)}"
        if form == 6:
            return f"-{self.part(depth)}"
        if form == 7:
            return f"{self.random.choice(FUNCTIONS)}({self.expression(depth - 1)})"
        if form == 8:
            arguments = (self.expression(depth - 1) for _ in range(self.random.randint(2, 3)))
            return f"{self.random.choice(['min', 'max', 'sum'])}({', '.join(arguments)})"
        return f"({self.expression(depth - 1)} {self.random.choice(COMPARISONS)} {self.atom()})"

    def part(self, depth: int) -> str:
        inner = self.expression(depth - 1)
        return f"({inner})" if self.random.random() < 0.3 else inner

    def atom(self) -> str:
        form = self.random.random()
        if self.lists and form < 0.2:
            name = self.random.choice(self.lists)
            return self.random.choice(
                [f"{name}[0]", f"{name}[-1]", f"length({name})", f"sum({name})"]
            )
        if self.numbers and form < 0.6:
            return self.random.choice(self.numbers)
        if self.percent and form > 0.95:
            return f"{self.random.randint(1, 200)}%"
        digits = str(self.random.randint(0, 20))
        return digits if form < 0.85 else f"{digits}.{self.random.randint(0, 99)}"


def random_program(seed: int, level: Level, *, percent: bool = True) -> str:
    """Return the text of a program of at most so much of the dialect."""
    return Writer(seed, level, percent=percent).text()


def damaged(text: str, seed: int) -> str:
    """Return a text with one to three pieces taken out, put in or exchanged."""
    random = Random(seed)  # noqa: S311 - nothing secret
    pieces = [
        "",
        *'01.=+-*/%(), \n#[]{}:"<>!a总',
        "end",
        "\nend\n",
        " then",
        "if ",
        "return ",
        "否则",
        " 次",
    ]
    for _ in range(random.randint(1, 2)):
        place = random.randint(0, len(text))
        text = text[:place] + random.choice(pieces) + text[place + random.randint(0, 2) :]
    return text
