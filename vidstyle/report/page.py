"""The whole page: one file that needs nothing else and lets nothing else in."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from vidstyle.report.markup import EMPTY, Markup, data_block, element


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under a title of its own."""

    title: str
    content: Markup
    style: str = ""
    """Class of the section."""


def page(title: str, head: Markup, sections: tuple[Section, ...], data: object) -> str:
    """The page as text.

    Nothing is fetched from anywhere: the browser is told to refuse it, and to run no script but
    ours. ``data`` is what the script reads, in values that JSON has. Equal contents give equal
    pages. Sections without content are left out.
    """
    main = element(
        "main",
        {},
        element("h1", {}, title),
        head,
        *(_section(section) for section in sections if section.content != EMPTY),
    )
    values = data_block(data)
    nonce = _nonce(main, values)
    body = element(
        "body",
        {},
        main,
        element("script", {"type": "application/json", "id": "report-data"}, values),
        element("script", {"nonce": nonce}, _part("page.js")),
    )
    whole = element("html", {"lang": "en"}, _head(title, nonce), body)
    return f"<!DOCTYPE html>\n{whole.text}\n"


def _head(title: str, nonce: str) -> Markup:
    policy = "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            "media-src data: blob:",
            f"style-src 'nonce-{nonce}'",
            f"script-src 'nonce-{nonce}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return element(
        "head",
        {},
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "color-scheme", "content": "light dark"}),
        element("title", {}, title),
        element("style", {"nonce": nonce}, _part("page.css")),
    )


def _section(section: Section) -> Markup:
    attributes = {"class": section.style} if section.style else {}
    return element("section", attributes, element("h2", {}, section.title), section.content)


def _nonce(*contents: Markup) -> str:
    """Of the content itself: whoever writes a name into it cannot know it beforehand."""
    state = hashlib.blake2b(digest_size=18)
    for content in contents:
        state.update(content.text.encode())
    return base64.urlsafe_b64encode(state.digest()).decode("ascii")


def _part(name: str) -> Markup:
    return Markup(files(__package__).joinpath(name).read_text("utf-8"))
