"""The frames that flicker most, as images in the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup

from vidstyle.imaging.contact_sheet import Image
from vidstyle.report.page import jpeg_uri, png_uri, render
from vidstyle.report.pair_views import GAIN, WIDEST, PairViews
from vidstyle.report.score_table import format_score
from vidstyle.report.side_by_side import resize, to_bytes


@dataclass(frozen=True, slots=True, eq=False)
class WorstPair:
    """A pair of frames of a clip, and the value it was chosen for."""

    value: float
    views: PairViews


@dataclass(frozen=True, slots=True)
class _Detail:
    pairs: int
    """Of each clip, at most."""
    widest: int
    quality: int


# In the order in which they are tried.
_DETAILS: Final = (
    _Detail(4, WIDEST, 88),
    _Detail(4, WIDEST, 70),
    _Detail(4, 320, 70),
    _Detail(2, 240, 60),
    _Detail(1, 160, 50),
)


def render_gallery(
    pairs: Mapping[str, Sequence[WorstPair]], *, first_frame: int, most_bytes: int
) -> Markup:
    """The pairs of each clip, the worst first, in as much detail as ``most_bytes`` allow.

    ``first_frame`` is the number of the first frame evaluated. The gallery says where detail is
    missing, and is empty where there are no pairs.
    """
    if not any(pairs.values()):
        return Markup()
    for detail in _DETAILS:
        gallery = render(
            "gallery.html",
            reduced=detail != _DETAILS[0],
            clips={
                name: [_pair(pair, detail, first_frame) for pair in worst[: detail.pairs]]
                for name, worst in pairs.items()
            },
        )
        if len(gallery.encode()) <= most_bytes:
            return gallery
    return Markup("<p>No image fits into the size of this page.</p>")


def _pair(pair: WorstPair, detail: _Detail, first_frame: int) -> dict[str, object]:
    """What the template shows of a pair."""
    return {
        "index": pair.views.index,
        "later": first_frame + pair.views.index,
        "value": format_score(pair.value),
        "views": list(_views(pair.views, detail)),
    }


def _views(views: PairViews, detail: _Detail) -> Iterator[dict[str, object]]:
    """Caption, alternative text, size and address of each image."""

    def photo(image: Image) -> Markup:
        return jpeg_uri(image, detail.quality)

    longest = f"{views.longest:.1f} px"
    shown: list[tuple[str, str, Image, Callable[[Image], Markup]]] = [
        ("earlier frame", "The earlier frame", views.earlier, photo),
        ("later frame", "The later frame", views.later, photo),
        (
            "later frame warped back",
            "The later frame warped onto the earlier one",
            views.warped,
            photo,
        ),
        (f"flow of the source, up to {longest}", "Flow as colors", views.flow, photo),
        ("mask: white is evaluated", "Mask of what is evaluated", views.mask, png_uri),
        (
            f"difference, {GAIN} times as strong",
            "Difference of the earlier and the warped frame",
            views.difference,
            photo,
        ),
    ]
    for caption, alt, image, encode in shown:
        height, width = image.shape[:2]
        source = encode(_narrow(image, detail.widest))
        yield {"caption": caption, "alt": alt, "width": width, "height": height, "source": source}


def _narrow(image: Image, widest: int) -> Image:
    height, width = image.shape[:2]
    if width <= widest:
        return image
    size = widest, max(1, round(height * widest / width))
    return to_bytes(resize(np.float32(1 / 255) * image.astype(np.float32), size))
