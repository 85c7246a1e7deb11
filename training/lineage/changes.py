"""What changed between two pieces of pseudocode, computed line by line."""

import difflib


def changed_lines(before: str, after: str) -> list[str]:
    """Lines that went (`- `) and came (`+ `), in order, without those that stayed."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line for line in lines if line.startswith(("- ", "+ "))]


def share_kept(before: str, after: str) -> float:
    """How much of the two texts is common, from 0 to 1."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines())
    return matcher.ratio()
