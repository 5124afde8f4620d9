"""The elements and texts of a page, read by Python's own parser."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

VOID = {"br", "img", "input", "meta"}


@dataclass(frozen=True, slots=True)
class Element:
    """A start tag and what it stands in."""

    tag: str
    attributes: dict[str, str | None]
    inside: tuple[str, ...]


class PageReader(HTMLParser):
    """The elements and texts of a page; fails where tags are not balanced."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.texts: list[tuple[str, str]] = []
        """Each with the element that it stands in."""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of {tag} twice"
        self.elements.append(Element(tag, dict(attrs), tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def named(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def text_of(self, tag: str) -> str:
        return "".join(text for inside, text in self.texts if inside == tag)
