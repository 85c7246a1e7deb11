"""From books to a directory: raw text of the training chapters, rows, held-out rows, and a report."""

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from training.novels.books import Book, Chapter
from training.novels.cutting import pairs
from training.novels.errors import NovelError
from training.novels.reading import find, read
from training.row_writing import write_rows
from training.tasks.continuation import check_passage

COLUMNS = ("prompt", "output", "group", "language", "source", "licence")
_SHORTEST_CHAPTER = 200


@dataclass(frozen=True)
class Settings:
    """How books are cut.

    Attributes:
        opening_characters: About how long a prompt is.
        continuation_characters: About how long an output is.
        held_out: Share of each book's chapters that is never trained on, at least one of each.
        seed: The same seed, the same rows.
    """

    opening_characters: int = 600
    continuation_characters: int = 800
    held_out: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Report:
    """What was made of the books."""

    books: int
    chapters: int
    chapters_held_out: int
    rows: int
    rows_held_out: int
    rows_dropped: int
    characters: int
    languages: dict[str, int]
    licences: dict[str, str]


def build(paths: Sequence[Path], out: Path, settings: Settings) -> Report:
    """Write `raw/`, `rows.csv`, `held-out.csv` and `report.json` into a directory.

    Neither the raw text nor the rows hold anything of a held-out chapter. A continuation that
    leaves a quotation open is dropped, which happens where a book itself does.

    Raises:
        NovelError: A book cannot be read, the directory holds something, or no row comes out.
        NotWritten: The directory cannot be written to.
    """
    if out.exists() and any(out.iterdir()):
        raise NovelError(f"{out} is not empty. Give a new directory, or empty it.")
    books = [read(path) for path in find(list(paths))]
    trained: list[tuple[str, ...]] = []
    kept: list[tuple[str, ...]] = []
    held_out = dropped = 0
    for number, book in enumerate(books):
        secret = _held_out(book, settings)
        held_out += len(secret)
        for place, chapter in enumerate(book.chapters):
            rows = list(_rows(book, place, chapter, settings))
            good = [row for row in rows if not check_passage(row[0], row[1], None)]
            dropped += len(rows) - len(good)
            (kept if place in secret else trained).extend(good)
        _write_raw(out / "raw" / f"{number:03}.txt", book, secret)
    if not trained:
        raise NovelError(
            f"The {len(books)} books gave no row to train on: their chapters are shorter than an "
            f"opening of {settings.opening_characters} and a continuation of "
            f"{settings.continuation_characters} characters. Ask for shorter ones."
        )
    write_rows(out / "rows.csv", COLUMNS, trained)
    write_rows(out / "held-out.csv", COLUMNS, kept)
    report = _report(books, (held_out, dropped), trained, kept)
    (out / "report.json").write_text(
        json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    return report


def _held_out(book: Book, settings: Settings) -> frozenset[int]:
    """Choose chapters by the hash of their text, so that another order of files changes nothing."""
    if len(book.chapters) == 1 or settings.held_out == 0:
        return frozenset()
    count = max(1, round(len(book.chapters) * settings.held_out))
    order = sorted(range(len(book.chapters)), key=lambda place: _hash(book, place, settings.seed))
    return frozenset(order[:count])


def _hash(book: Book, place: int, seed: int) -> bytes:
    text = "\n".join(book.chapters[place].paragraphs)
    return hashlib.sha256(f"{seed}\n{text}".encode()).digest()


def _rows(
    book: Book, place: int, chapter: Chapter, settings: Settings
) -> Iterator[tuple[str, ...]]:
    draw = random.Random(f"{settings.seed}/{book.title}/{place}")  # noqa: S311  # data, not secrets
    group = f"{book.title}/{place}"
    cut = pairs(
        chapter,
        opening_characters=settings.opening_characters,
        continuation_characters=settings.continuation_characters,
        draw=draw,
    )
    for pair in cut:
        yield (pair.opening, pair.continuation, group, book.language, book.source, book.licence)


def _write_raw(path: Path, book: Book, secret: frozenset[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    chapters = [
        "\n".join(filter(None, [chapter.title, *chapter.paragraphs]))
        for place, chapter in enumerate(book.chapters)
        if place not in secret and chapter.characters >= _SHORTEST_CHAPTER
    ]
    path.write_text("\n\n".join(chapters) + "\n", encoding="utf-8")


def _report(
    books: Sequence[Book],
    counts: tuple[int, int],
    trained: Sequence[tuple[str, ...]],
    kept: Sequence[tuple[str, ...]],
) -> Report:
    languages: dict[str, int] = {}
    for row in trained:
        languages[row[3]] = languages.get(row[3], 0) + 1
    return Report(
        books=len(books),
        chapters=sum(len(book.chapters) for book in books),
        chapters_held_out=counts[0],
        rows=len(trained),
        rows_held_out=len(kept),
        rows_dropped=counts[1],
        characters=sum(chapter.characters for book in books for chapter in book.chapters),
        languages=languages,
        licences={book.source: book.licence or "not stated" for book in books},
    )
