"""The page shows texts as text, with what was copied marked."""

from training.novels.evaluation.measuring import Example
from training.novels.evaluation.page import marked, page


def test_text_cannot_become_markup() -> None:
    evil = "<script>alert(1)</script> & more"
    shown = page([Example(evil, {"a<b": (evil, "alert(1)")})], "0.8/0.95")
    assert "<script" not in shown
    assert "&lt;script&gt;<mark>alert(1)</mark>&lt;/script&gt; &amp; more" in shown
    assert "a&lt;b" in shown


def test_the_page_loads_nothing() -> None:
    shown = page([Example("opening", {"the book": ("text", "")})], "0/1")
    assert "http" not in shown
    assert "src=" not in shown


def test_a_copied_stretch_is_found_over_line_breaks() -> None:
    assert marked("He went\n home. Then", "went home.") == ("He ", "went\n home.", " Then")
    assert marked("He went", "") == ("He went", "", "")
    assert marked("He went", "not there") == ("He went", "", "")
