"""The frames that flicker most, as images in the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vidstyle.imaging.contact_sheet import Image
from vidstyle.report.data_uri import jpeg, png
from vidstyle.report.markup import EMPTY, Markup, element, joined
from vidstyle.report.metric_text import shown
from vidstyle.report.pair_views import GAIN, WIDEST, PairViews
from vidstyle.report.shown_size import in_bytes, resized


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


_DETAILS: Final = (
    _Detail(4, WIDEST, 88),
    _Detail(4, WIDEST, 70),
    _Detail(4, 320, 70),
    _Detail(2, 240, 60),
    _Detail(1, 160, 50),
)
# In the order in which they are tried.
_REDUCED: Final = element(
    "p", {"class": "hint"}, "The images are reduced, or fewer, to keep this page small."
)
_NOTHING: Final = element("p", {}, "No image fits into the size of this page.")


def gallery_within(
    pairs: Mapping[str, Sequence[WorstPair]], *, first_frame: int, most_bytes: int
) -> Markup:
    """The pairs of each clip, the worst first, in as much detail as ``most_bytes`` allow.

    ``first_frame`` is the number of the first frame judged. It says where detail is missing, and
    is empty where there are no pairs.
    """
    if not any(pairs.values()):
        return EMPTY
    for detail in _DETAILS:
        gallery = joined(
            EMPTY if detail == _DETAILS[0] else _REDUCED,
            *(
                _clip(name, worst[: detail.pairs], detail, first_frame)
                for name, worst in pairs.items()
            ),
        )
        if len(gallery.text.encode()) <= most_bytes:
            return gallery
    return _NOTHING


def _clip(name: str, worst: Sequence[WorstPair], detail: _Detail, first_frame: int) -> Markup:
    if not worst:
        return EMPTY
    title = element("h3", {}, element("bdi", {}, name))
    return joined(title, *(_pair(name, pair, detail, first_frame) for pair in worst))


def _pair(name: str, pair: WorstPair, detail: _Detail, first_frame: int) -> Markup:
    later = first_frame + pair.views.index
    words = f"frames {later - 1} and {later}"
    button = element(
        "button",
        {"type": "button", "class": "show", "data-frame": pair.views.index, "hidden": ""},
        f"Show frame {later}",
    )
    title = element(
        "h4",
        {},
        f"{words[0].upper()}{words[1:]}: ",
        element("code", {}, "e_warp"),
        f" {shown(pair.value)} ",
        button,
    )
    figures = [
        _view(caption, f"{alt}, {words} of {name}", encode(_narrowed(image, detail.widest)), image)
        for caption, alt, image, encode in _views(pair.views, detail.quality)
    ]
    return element(
        "section", {"class": "pair"}, title, element("div", {"class": "views"}, *figures)
    )


def _views(
    views: PairViews, quality: int
) -> list[tuple[str, str, Image, Callable[[Image], Markup]]]:
    """Caption, alternative text, image and how it is stored."""

    def photo(image: Image) -> Markup:
        return jpeg(image, quality=quality)

    longest = f"{views.longest:.1f} px"
    difference = f"difference, {GAIN} times as strong"
    return [
        ("earlier frame", "The earlier frame", views.earlier, photo),
        ("later frame", "The later frame", views.later, photo),
        (
            "later frame warped back",
            "The later frame warped onto the earlier one",
            views.warped,
            photo,
        ),
        (f"flow of the source, up to {longest}", "Flow as colors", views.flow, photo),
        ("mask: white is judged", "Mask of what is judged", views.mask, png),
        (difference, "Difference of the earlier and the warped frame", views.difference, photo),
    ]


def _view(caption: str, alt: str, source: Markup, image: Image) -> Markup:
    height, width = image.shape[:2]
    drawn = element("img", {"src": source, "alt": alt, "width": width, "height": height})
    return element("figure", {}, drawn, element("figcaption", {}, caption))


def _narrowed(image: Image, widest: int) -> Image:
    height, width = image.shape[:2]
    if width <= widest:
        return image
    size = widest, max(1, round(height * widest / width))
    return in_bytes(resized(np.float32(1 / 255) * image.astype(np.float32), size))
