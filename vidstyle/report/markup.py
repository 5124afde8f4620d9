"""HTML and SVG as values: what is text is escaped here, and nowhere else."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

_VOID: Final = frozenset({"br", "img", "input", "meta"})
_UNSOUND: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What HTML cannot hold: control characters, and what a file's name has that is not UTF-8.


@dataclass(frozen=True, slots=True, repr=False)
class Markup:
    """Finished HTML, which is put in as it is. Everything else is text, and escaped."""

    text: str

    def __repr__(self) -> str:
        return f"Markup({len(self.text)} characters)"


Content: TypeAlias = Markup | str
Attributes: TypeAlias = Mapping[str, object]
"""By name; a value is Markup, or anything whose text is the value."""

EMPTY: Final = Markup("")


def element(name: str, attributes: Attributes, *content: Content) -> Markup:
    """An element; ``name`` and the attributes' names are ours, never a user's.

    An attribute that stands alone, such as ``hidden``, has the value "".
    """
    written = "".join(
        f' {key}="{_escaped(value if isinstance(value, Markup) else str(value))}"'
        for key, value in attributes.items()
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*content).text}</{name}>")


def joined(*content: Content) -> Markup:
    """One after the other."""
    return Markup("".join(map(_escaped, content)))


def data_block(value: Any) -> Markup:
    """Values as JSON that cannot end the script element which they stand in."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def _escaped(content: Content) -> str:
    if isinstance(content, Markup):
        return content.text
    return html.escape(_UNSOUND.sub("\N{REPLACEMENT CHARACTER}", content), quote=True)
