"""`python -m tests.benchmarks.echo_child`: answers each line with itself, ends or falls silent when told to."""

import json
import sys
import time

from benchmarks._children import own_output, say

if __name__ == "__main__":
    answers = own_output()
    print("not an answer")  # noqa: T201
    say(answers, {"ready": True})
    for line in sys.stdin:
        asked = json.loads(line)
        if asked.get("sleep"):
            time.sleep(60)
        if asked.get("fail"):
            sys.exit("the reason")
        say(answers, asked)
