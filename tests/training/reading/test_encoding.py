"""The encoding of a file is recognised, or the bytes that fit none are kept to be named."""

import pytest

from training.reading.encoding import decode

CHINESE = "小明有三个苹果，又买了四个，一共有几个？\n" * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-32"])
def test_chinese_text_is_read_in_its_encoding(encoding: str) -> None:
    assert decode(CHINESE.encode(encoding)).text == CHINESE


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_text_without_a_mark_is_recognised(encoding: str) -> None:
    found = decode("prompt,output\n1 + 1?,2\n".encode(encoding))
    assert (found.text, found.encoding) == ("prompt,output\n1 + 1?,2\n", encoding)


@pytest.mark.parametrize(
    "text", ["café, naïve, déjà vu\n", "Größe, Straße, über\n", "niño, mañana, ¿qué?\n"]
)
def test_western_text_is_not_taken_for_chinese(text: str) -> None:
    found = decode(text.encode("latin-1"))
    assert found.encoding == "utf-8"
    assert any("\udc80" <= character <= "\udcff" for character in found.text)


def test_a_few_bad_bytes_do_not_change_the_encoding() -> None:
    found = decode(CHINESE.encode() + b"\xff\xfe\n" + CHINESE.encode())
    assert found.encoding == "utf-8"
    assert found.text.splitlines()[3] == "\udcff\udcfe"
    found = decode(CHINESE.encode("gbk") + b"\xff\n")
    assert found.encoding == "gb18030"


@pytest.mark.parametrize("raw", [b"", b"\n", b"a", b"\xef\xbb\xbf", b"\xff", b"\xff\xfe"])
def test_almost_nothing_is_read_without_complaint_of_the_codec(raw: bytes) -> None:
    assert len(decode(raw).text) <= len(raw)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (b"PK\x03\x04rest", "ZIP"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"%PDF-1.7", "PDF"),
        (b"PAR1", "Parquet"),
    ],
)
def test_what_is_no_text_is_named(raw: bytes, kind: str) -> None:
    (problem,) = decode(raw).problems
    assert problem.code == "not_text_file"
    assert kind in problem.message
