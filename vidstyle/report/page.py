"""Pages from templates: text is escaped, and one file holds all that it shows."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import lru_cache
from typing import Any, Final, Literal

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vidstyle.imaging.contact_sheet import Image

# What HTML cannot store: control characters, and bytes of a file's name that are not UTF-8.
_UNSOUND: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def render(template: str, **values: Any) -> Markup:
    """Fill a template of this package. Every value but ``Markup`` is text, and is escaped."""
    return Markup(_environment().get_template(template).render(values))


def render_page(title: str, content: Markup, data: object) -> str:
    """A whole page of HTML as text.

    The page's policy forbids the browser to fetch anything, and to run any script but ours. Equal
    contents give equal pages.

    Args:
        title: Of the window, and the first heading.
        content: What follows.
        data: What the page's script reads, in values that JSON has.
    """
    values = _data_block(data)
    # Of the content itself: a clip's name that ends up in it cannot contain its hash.
    digest = hashlib.blake2b(f"{content}{values}".encode(), digest_size=18).digest()
    nonce = base64.urlsafe_b64encode(digest).decode("ascii")
    return render("page.html", title=title, content=content, data=values, nonce=nonce)


def data_uri(content: bytes, kind: Literal["image/jpeg", "image/png", "video/mp4"]) -> Markup:
    """An address that is the content itself; there is nothing in it to escape."""
    return Markup(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}")


def jpeg_uri(image: Image, quality: int) -> Markup:
    """An image (H, W, 3) RGB with losses; ``quality`` is 0 to 100."""
    return data_uri(_encode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality]), "image/jpeg")


def png_uri(image: Image) -> Markup:
    """An image (H, W, 3) RGB without losses."""
    return data_uri(_encode(".png", image, []), "image/png")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("vidstyle.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_replace_unsound,
    )
    environment.filters["data_uri"] = data_uri
    return environment


def _replace_unsound(value: Any) -> Any:
    """Called by the templates for each value, before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNSOUND.sub("\N{REPLACEMENT CHARACTER}", value)
    return value


def _data_block(value: object) -> Markup:
    """JSON that cannot end the script element around it."""
    return Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def _encode(suffix: str, image: Image, flags: list[int]) -> bytes:
    # Reversing the channels makes RGB the BGR that OpenCV writes from.
    done, content = cv2.imencode(suffix, np.ascontiguousarray(image[..., ::-1]), flags)
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as {suffix}")
    return content.tobytes()
