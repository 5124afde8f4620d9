"""Strangers' words do nothing on a page."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from vidstyle.app.plain_text import on_one_line, plain, shortened

HOSTILE = [
    "<img src=x onerror=alert(1)>.mp4",
    "![a](http://example.org/x.png)",
    "[a](javascript:alert(1))",
    ":red[text] :material/home: $x$ `code` **bold** ~~gone~~",
    "# head",
    "1. one",
    "&lt;b&gt;",
    "http://example.org",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_shows_a_name_as_it_is(name: str) -> None:
    [_, inline, _] = MarkdownIt("commonmark").parse(plain(name))
    assert {part.type for part in inline.children or ()} <= {"text", "text_special"}
    assert "".join(part.content for part in inline.children or ()) == name


def test_what_is_not_seen_becomes_an_escape() -> None:
    assert on_one_line("a\nb\x1b\u202ec é") == "a\\nb\\x1b\\u202ec é"


def test_long_names_are_cut() -> None:
    assert shortened("n" * 300) == "n" * 59 + "…"
