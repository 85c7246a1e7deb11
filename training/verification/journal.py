"""Drawn programs on disk, a line for each question, so that an interrupted run goes on."""

import json
from pathlib import Path

from training.errors import SamplingFailed
from training.verification.drawing import Drawn, Manner


class Journal:
    """The programs drawn so far; what is added is on disk at once.

    Attributes:
        path: The file, JSON lines: the manner of the draw, then one line for each question.
        drawn: Its questions with their programs.
    """

    def __init__(self, path: Path, manner: Manner) -> None:
        """Open a journal, or begin one.

        Raises:
            SamplingFailed: It is of another manner, is no journal, or cannot be written.
        """
        self.path = path
        self.drawn: dict[str, Drawn] = {}
        head = json.dumps(manner._asdict())
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            lines = []
        except (OSError, UnicodeDecodeError) as error:
            raise self._useless(f"it cannot be read ({error})") from error
        if lines and lines[0].rstrip("\n") != head:
            raise self._useless(f"it begins with {lines[0].strip()[:200]!r}, expected {head!r}")
        # A line without its end is what was being written when the run was cut.
        whole = [line for line in lines if line.endswith("\n")] or [f"{head}\n"]
        for line in whole[1:]:
            self._remember(self._read(line))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(whole), encoding="utf-8")
        except OSError as error:
            raise self._useless(f"it cannot be written ({error.strerror})") from error

    def add(self, drawn: Drawn) -> None:
        """Keep what was drawn for one question.

        Raises:
            SamplingFailed: It is of another version than the rest, or the disk is full.
        """
        self._remember(drawn)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(drawn, ensure_ascii=False) + "\n")
        except OSError as error:
            raise self._useless(f"it cannot be written ({error.strerror})") from error

    def _remember(self, drawn: Drawn) -> None:
        first = next(iter(self.drawn.values()), drawn)
        if first.served_by != drawn.served_by:
            raise SamplingFailed(
                f"{self.path} holds programs of {first.served_by!r}, and {drawn.served_by!r} "
                "answers now; expected one version throughout. Name the version, or another --out."
            )
        self.drawn[drawn.question] = drawn

    def _read(self, line: str) -> Drawn:
        try:
            question, programs, served_by = json.loads(line)
            return Drawn(str(question), [str(program) for program in programs], str(served_by))
        except (ValueError, TypeError) as error:
            raise self._useless(f"it has the line {line[:80]!r}") from error

    def _useless(self, why: str) -> SamplingFailed:
        return SamplingFailed(
            f"The drawn programs in {self.path} cannot be used: {why}. Delete that file to draw "
            "anew, or give the settings it was begun with, or another --out."
        )
