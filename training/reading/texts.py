"""Raw text: one document a file, a directory with everything below it, in the order of names."""

from pathlib import Path

from training.codes import Problem
from training.errors import RowsRefused
from training.reading.encoding import decode
from training.reading.records import Records

SUFFIXES = (".txt", ".md")


def read_texts(path: Path) -> Records:
    """Read documents; each is a record of `text` and `file`.

    The line of a document is where it would start if all of them were one file.

    Raises:
        RowsRefused: There is no text file, or one cannot be opened.
    """
    files = [path]
    if path.is_dir():
        files = sorted(item for item in path.rglob("*") if item.suffix.lower() in SUFFIXES)
    if not files:
        raise RowsRefused(
            f"There is no text in {path}, expected files that end in {' or '.join(SUFFIXES)}. "
            "Check the path, or convert what is there."
        )
    records = Records("text", names=["text", "file"])
    line = 1
    for file in files:
        name = file.relative_to(path).as_posix() if file != path else file.name
        decoded = decode(file.read_bytes())
        for problem in decoded.problems:
            said = Problem(line, problem.code, f"{name}: {problem.message}")
            if problem.gravity == "said":
                records.problems.append(said)
            else:
                records.items.append((line, said))
        if decoded.encoding != "binary":
            records.items.append((line, {"text": decoded.text, "file": name}))
        line += max(1, len(decoded.text.splitlines()))
    return records
