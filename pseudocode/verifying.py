"""The one form in which a verifier is asked about a program, for training and serving alike.

A verifier is an adapter that reads `verifier_prompt(question, program)` as the user's message and
answers with `RIGHT` or `WRONG` and nothing else. Its training rows have that text as `prompt` and
one of the two words as `output`; served, the probabilities of the two words give the score.
"""

RIGHT = "right"
WRONG = "wrong"


def verifier_prompt(question: str, program: str) -> str:
    """Word one question and one program for a verifier; blank lines and blanks at ends do not count.

    The text of a question and a program of two lines is

        Ann has 3 pens and buys 2. How many?
        Program:
        a = 3 + 2
        return a
        Is the program right or wrong?
    """
    lines = [line.rstrip() for line in program.splitlines() if line.strip()]
    return "\n".join([question.strip(), "Program:", *lines, "Is the program right or wrong?"])
