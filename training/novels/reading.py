"""Read a book from EPUB, XHTML, Markdown or plain text. Files are untrusted: bounded, never run.

EPUB and XHTML go through Beautiful Soup, Markdown through markdown-it.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from charset_normalizer import from_bytes
from markdown_it import MarkdownIt

from training.novels.books import Book, Chapter
from training.novels.errors import NovelError
from training.novels.headings import chapters_of

SUFFIXES = {".epub", ".xhtml", ".html", ".htm", ".md", ".markdown", ".txt"}
MAX_BYTES = 200_000_000
MAX_MEMBERS = 10_000

# Parts of an edition that nobody wrote as a story.
_NOT_STORY = re.compile(
    r"\b(titlepage|halftitlepage|imprint|colophon|copyright-page|toc|loi|frontispiece|epigraph|"
    r"dedication|endnotes|footnotes|backmatter|frontmatter|index|acknowledgments)\b"
)
# HTML lets a paragraph end where the next block begins; the parser waits for its end tag.
_BLOCK_START = re.compile(r"<(?:p|h[1-6]|blockquote|li|ul|ol|div|section|hr)\b", re.IGNORECASE)
_LICENCE_FILES = ("LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "LICENCE-NOTE.txt")


def find(paths: list[Path]) -> list[Path]:
    """Return the books under files and directories, in the order of their names.

    A directory of XHTML files beside one another is one book: the directory is returned.

    Raises:
        NovelError: Nothing is there, or a file is of no known kind.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += _in_directory(path)
        elif not path.exists():
            raise NovelError(f"There is no file or directory {path}. Give books that exist.")
        elif path.suffix.lower() not in SUFFIXES:
            raise NovelError(
                f"{path} ends in {path.suffix!r}; expected one of {', '.join(sorted(SUFFIXES))}. "
                "Convert it, or leave it out."
            )
        else:
            found.append(path)
    if not found:
        raise NovelError(
            f"No book was found under {', '.join(map(str, paths))}. Expected files that end in "
            f"{', '.join(sorted(SUFFIXES))}."
        )
    return found


def read(path: Path) -> Book:
    """Read one book.

    Raises:
        NovelError: It is damaged, too large, or holds no text.
    """
    if path.is_dir():
        book = _from_pages(path)
    elif path.suffix.lower() == ".epub":
        book = _from_epub(path)
    elif path.suffix.lower() in {".md", ".markdown"}:
        book = _from_html(MarkdownIt().render(_text(path)), path)
    elif path.suffix.lower() == ".txt":
        book = _from_lines(_text(path), path)
    else:
        book = _from_html(_text(path), path)
    if not book.chapters:
        raise NovelError(f"{path} holds no paragraphs of text. Look at it, or leave it out.")
    return book


def _in_directory(folder: Path) -> Iterator[Path]:
    pages = {path.parent for path in folder.rglob("*.xhtml")}
    yield from sorted(pages)
    for path in sorted(folder.rglob("*")):
        known = path.suffix.lower() in SUFFIXES - {".xhtml"} and path.is_file()
        if known and path.name not in _LICENCE_FILES and not path.name.startswith("SOURCE"):
            yield path


def _from_pages(folder: Path) -> Book:
    chapters: list[Chapter] = []
    for page in sorted(folder.glob("*.xhtml"), key=lambda path: _natural(path.name)):
        chapters += _chapters(_page(_text(page)))
    # src/epub/text under the directory that carries the title of the book.
    named = next(
        (parent for parent in folder.parents if parent.name not in {"src", "epub", "text"}), folder
    )
    return Book(named.name, str(folder), _licence(folder), tuple(chapters))


def _natural(name: str) -> list[tuple[int, str]]:
    """Order chapter-2 before chapter-10."""
    return [
        (int(part), "") if part.isdigit() else (0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]


def _from_epub(path: Path) -> Book:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_size(archive, path)
            package = _package_path(archive)
            manifest = BeautifulSoup(archive.read(package), "html.parser")
            chapters: list[Chapter] = []
            for href in _spine(manifest):
                member = posixpath.normpath(posixpath.join(posixpath.dirname(package), href))
                chapters += _chapters(_page(_decoded(archive.read(member), f"{path}: {member}")))
            title, rights = (_element_text(manifest, f"dc:{name}") for name in ("title", "rights"))
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, OSError) as error:
        raise NovelError(
            f"{path} is no EPUB that can be read ({error}). Expected a zip file with "
            "META-INF/container.xml. Open it in a reader to see whether it is damaged."
        ) from error
    return Book(title or path.stem, str(path), rights, tuple(chapters))


def _check_size(archive: zipfile.ZipFile, path: Path) -> None:
    members = archive.infolist()
    size_bytes = sum(member.file_size for member in members)
    if size_bytes > MAX_BYTES or len(members) > MAX_MEMBERS:
        raise NovelError(
            f"{path} unpacks to {size_bytes:,} bytes in {len(members)} files; expected at most "
            f"{MAX_BYTES:,} in {MAX_MEMBERS}. Leave it out, or split it."
        )


def _package_path(archive: zipfile.ZipFile) -> str:
    container = BeautifulSoup(archive.read("META-INF/container.xml"), "html.parser")
    root = container.find("rootfile")
    if not isinstance(root, Tag) or not root.get("full-path"):
        raise KeyError("META-INF/container.xml names no package")
    return str(root["full-path"])


def _spine(manifest: BeautifulSoup) -> Iterator[str]:
    """Yield the pages of a book in reading order."""
    items = {str(item.get("id")): str(item.get("href")) for item in manifest.find_all("item")}
    for reference in manifest.find_all("itemref"):
        name = str(reference.get("idref"))
        if name not in items:
            raise KeyError(f"its spine names {name!r}, which its manifest does not list")
        yield unquote(items[name])


def _element_text(manifest: BeautifulSoup, name: str) -> str:
    element = manifest.find(name)
    return element.get_text(" ", strip=True) if element else ""


def _from_html(text: str, path: Path) -> Book:
    chapters = tuple(_chapters(_page(text)))
    return Book(path.stem, str(path), _licence(path.parent), chapters)


def _from_lines(text: str, path: Path) -> Book:
    lines = text.splitlines()
    return Book(path.stem, str(path), _licence(path.parent), chapters_of(lines))


def _page(text: str) -> BeautifulSoup:
    return BeautifulSoup(_BLOCK_START.sub(r"</p>\g<0>", text), "html.parser")


def _chapters(page: BeautifulSoup) -> Iterator[Chapter]:
    """Yield the chapters of a page: its headings divide it; a page without one is one chapter."""
    body = page.body or page
    if _is_no_story(body):
        return
    for note in body.select('[epub\\:type~="noteref"], sup, script, style, nav, table, figure'):
        note.decompose()
    title, found = "", list[str]()
    for element in body.find_all(["h1", "h2", "h3", "p", "blockquote", "li"]):
        text = " ".join(element.get_text().split())
        if not text or element.find_parent(["hgroup", "header", "blockquote", "li"]):
            continue
        if element.name in {"h1", "h2", "h3"}:
            if found:
                yield Chapter(title, tuple(found))
            title, found = text, []
        else:
            found.append(text)
    if found:
        yield Chapter(title, tuple(found))


def _is_no_story(body: Tag) -> bool:
    types = [body, *body.find_all("section", limit=1)]
    return any(_NOT_STORY.search(str(element.get("epub:type", ""))) for element in types)


def _text(path: Path) -> str:
    """Return a file as text; UTF-8, or what its bytes most likely are."""
    if path.stat().st_size > MAX_BYTES:
        raise NovelError(f"{path} is larger than {MAX_BYTES:,} bytes. Split it.")
    return _decoded(path.read_bytes(), str(path))


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        best = from_bytes(content, cp_isolation=["gb18030", "big5", "utf_16", "cp1252"]).best()
        if best is None or (b"\0" in content[:1000] and best.encoding != "utf_16"):
            raise NovelError(
                f"{name} is not text in UTF-8, GB18030, Big5, UTF-16 or Windows-1252. Save it as "
                "UTF-8."
            ) from None
        return str(best)


def _licence(folder: Path) -> str:
    """Return the first line of the licence file beside a book or above it."""
    for parent in [folder, *folder.parents][:5]:
        for name in _LICENCE_FILES:
            file = parent / name
            if file.is_file():
                lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
                return next((line.strip("# ").strip() for line in lines if line.strip()), "")[:200]
    return ""
