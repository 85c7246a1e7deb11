"""Books of any kind become rows that end where sentences do, and chapters stay on one side."""

import csv
import json
import random
import zipfile
from pathlib import Path

import pytest

from training.novels.books import Chapter
from training.novels.cli import main
from training.novels.cutting import pairs
from training.novels.headings import chapters_of, is_heading
from training.novels.reading import read

STORY = "“Who goes there?” asked the guard. Nobody answered him. The rain fell on the old wall. "
FABEL = "“来者何人？”守卫问道。没有人回答他。雨落在旧墙上，一夜未停。"


def _chapters(sentence: str, count: int = 4) -> list[tuple[str, list[str]]]:
    return [(str(number), [f"{number}. {sentence * 6}".strip()] * 5) for number in range(count)]


def _epub(path: Path, chapters: list[tuple[str, list[str]]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
        )
        items = "".join(
            f'<item id="c{at}" href="c%20{at}.xhtml"/>' for at, _ in enumerate(chapters)
        )
        spine = "".join(f'<itemref idref="c{at}"/>' for at, _ in enumerate(chapters))
        archive.writestr(
            "OEBPS/content.opf",
            "<package><metadata><dc:title>A Wall</dc:title><dc:rights>CC0</dc:rights></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for at, (title, body) in enumerate(chapters):
            text = "".join(f"<p>{paragraph}</p>" for paragraph in body)
            page = f"<html><body><section epub:type='chapter'><h2>{title}</h2>{text}</section></body></html>"
            archive.writestr(f"OEBPS/c {at}.xhtml", page)
    return path


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("sentence", [STORY, FABEL])
@pytest.mark.parametrize("kind", ["epub", "md", "txt", "html"])
def test_a_book_of_any_kind_becomes_rows_of_whole_sentences(
    tmp_path: Path, kind: str, sentence: str
) -> None:
    chapters = _chapters(sentence)
    book = tmp_path / f"book.{kind}"
    if kind == "epub":
        _epub(book, chapters)
    elif kind == "md":
        book.write_text("".join(f"# {t}\n\n" + "\n\n".join(b) + "\n\n" for t, b in chapters))
    elif kind == "txt":
        book.write_text("".join(f"Chapter {t}\n\n" + "\n".join(b) + "\n\n" for t, b in chapters))
    else:
        book.write_text("".join(f"<h2>{t}</h2><p>" + "</p><p>".join(b) for t, b in chapters))
    out = tmp_path / "out"
    arguments = [str(book), "--out", str(out), "--opening-chars", "80"]
    assert main([*arguments, "--continuation-chars", "120"]) == 0
    rows, kept = _rows(out / "rows.csv"), _rows(out / "held-out.csv")
    assert len(rows) >= 3
    assert len(kept) >= 1
    for row in rows + kept:
        assert row["output"][-1] in ".。”"
        assert row["output"].count("“") == row["output"].count("”")
        assert row["language"] == ("zh" if sentence == FABEL else "en")


def test_no_text_of_a_held_out_chapter_is_trained_on(tmp_path: Path) -> None:
    chapters = [
        (str(at), [f"Chapter {at} says {word}. {STORY}" for word in ("this", "that", "more")] * 4)
        for at in range(10)
    ]
    out = tmp_path / "out"
    assert (
        main([str(_epub(tmp_path / "b.epub", chapters)), "--out", str(out), "--held-out", "0.3"])
        == 0
    )
    kept = {row["group"] for row in _rows(out / "held-out.csv")}
    trained = {row["group"] for row in _rows(out / "rows.csv")}
    assert len(kept) == 3
    assert not kept & trained
    raw = (out / "raw" / "000.txt").read_text(encoding="utf-8")
    for group in kept:
        assert f"Chapter {group.rsplit('/')[-1]} says" not in raw
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["chapters_held_out"] == 3
    assert report["licences"] == {str(tmp_path / "b.epub"): "CC0"}


def test_no_text_is_in_two_continuations() -> None:
    draw = random.Random(1)  # noqa: S311  # data, not secrets
    sentences = [f"Sentence number {at} is here. " for at in range(200)]
    chapter = Chapter("", tuple("".join(sentences[at : at + 5]).strip() for at in range(0, 200, 5)))
    found = list(pairs(chapter, opening_characters=100, continuation_characters=150, draw=draw))
    text = "".join(pair.continuation for pair in found)
    assert len(found) > 10
    for sentence in sentences:
        assert text.count(sentence.strip()) <= 1
    for pair in found:
        assert pair.continuation not in pair.opening


def test_nothing_is_cut_inside_speech() -> None:
    speech = "“" + "He said so. " * 20 + "Then he left.”"
    chapter = Chapter("", (speech,) * 12)
    draw = random.Random(2)  # noqa: S311  # data, not secrets
    for pair in pairs(chapter, opening_characters=50, continuation_characters=60, draw=draw):
        assert pair.opening.endswith("”")
        assert pair.continuation.endswith("”")


@pytest.mark.parametrize(
    "line",
    [
        "CHAPTER I",
        "Chapter 12. The Wall",
        "第一回　甄士隐梦幻识通灵",
        "第十二章",
        "Prologue",
        "楔子",
    ],
)
def test_headings_are_known(line: str) -> None:
    assert is_heading(line)


@pytest.mark.parametrize(
    "line", ["", "Chapter and verse he knew", "第一次见面的时候，他说了很多", "I"]
)
def test_sentences_are_no_headings(line: str) -> None:
    assert not is_heading(line)


def test_wrapped_lines_are_joined_and_single_ones_are_not() -> None:
    wrapped = [
        "CHAPTER I",
        "",
        "It was a long",
        "and winding road",
        "to the town.",
        "",
        "He",
        "came.",
    ]
    assert chapters_of(wrapped)[0].paragraphs == (
        "It was a long and winding road to the town.",
        "He came.",
    )
    single = ["CHAPTER I", "It was a long road.", "He came.", "She left."]
    assert len(chapters_of(single)[0].paragraphs) == 3


def test_gbk_and_utf_16_are_read(tmp_path: Path) -> None:
    for encoding in ("gb18030", "utf-16", "utf-8-sig"):
        book = tmp_path / f"{encoding}.txt"
        book.write_bytes(f"第一回　雨\n{FABEL * 30}\n".encode(encoding))
        assert read(book).chapters[0].paragraphs[0].startswith("“来者何人？”")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.epub", b"PK\x03\x04 no zip", "is no EPUB that can be read"),
        ("empty.txt", b"  \n \n", "holds no paragraphs"),
        ("data.bin", b"\0\1", "ends in '.bin'"),
        ("binary.txt", bytes(range(256)) * 20, "is not text"),
        ("short.txt", b"Chapter 1\nToo short.", "gave no row to train on"),
    ],
)
def test_a_book_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert main([str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("member", "content", "said"),
    [
        ("OEBPS/c 0.xhtml", bytes(range(256)) * 20, "c 0.xhtml is not text"),
        ("OEBPS/content.opf", b"<package/>", "holds no paragraphs"),
        (
            "OEBPS/content.opf",
            b"<spine><itemref idref='x'/></spine>",
            "its spine names 'x', which its manifest does not list",
        ),
    ],
)
def test_a_damaged_part_of_an_epub_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], member: str, content: bytes, said: str
) -> None:
    good = _epub(tmp_path / "good.epub", _chapters(STORY))
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(tmp_path / "bad.epub", "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == member else old.read(name))
    assert main([str(tmp_path / "bad.epub"), "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_paragraphs_without_an_end_tag_end_where_the_next_begins(tmp_path: Path) -> None:
    (tmp_path / "old.html").write_text("<h2>One<p>First <i>one</i>.<p>Second.<h2>Two</h2><p>Third.")
    chapters = read(tmp_path / "old.html").chapters
    assert [chapter.paragraphs for chapter in chapters] == [("First one.", "Second."), ("Third.",)]


def test_an_epub_without_its_parts_and_a_directory_in_use_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "b.epub", "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
    assert main([str(tmp_path / "b.epub"), "--out", str(tmp_path / "out")]) == 2
    (tmp_path / "b.txt").write_text("Chapter 1\n" + STORY * 40)
    assert main([str(tmp_path / "b.txt"), "--out", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
