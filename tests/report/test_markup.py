"""Text stays text, wherever it stands."""

from __future__ import annotations

import json

import pytest

from vidstyle.report.markup import Markup, data_block, element, joined


def test_text_is_escaped_in_content_and_attributes() -> None:
    hostile = "\"><script>'&amp;"
    escaped = "&quot;&gt;&lt;script&gt;&#x27;&amp;amp;"
    made = element("p", {"title": hostile}, hostile)
    assert made.text == f'<p title="{escaped}">{escaped}</p>'


def test_markup_is_put_in_as_it_is() -> None:
    assert joined(element("b", {}, "a"), "<").text == "<b>a</b>&lt;"


def test_void_elements_have_no_end() -> None:
    assert element("img", {"alt": ""}).text == '<img alt="">'


@pytest.mark.parametrize("letter", ["\0", "\x1b", "\x85", "\udcff", "\uffff"])
def test_what_html_cannot_hold_is_replaced(letter: str) -> None:
    text = joined(f"a{letter}b").text
    assert text == "a\N{REPLACEMENT CHARACTER}b"
    text.encode()


def test_data_cannot_end_its_script() -> None:
    value = {"name": "</script><!--"}
    block = data_block(value)
    assert isinstance(block, Markup)
    assert "<" not in block.text
    assert json.loads(block.text) == value
