"""The clips as films that play in step, and two of them in one picture with a line between."""

from __future__ import annotations

from collections.abc import Sequence

from vidstyle.report.data_uri import data_uri
from vidstyle.report.markup import Markup, element, joined
from vidstyle.report.preview_video import QUALITIES, Films


def player(films: Films, *, frames: int, first_frame: int) -> Markup:
    """The films, one slider for all, and the comparison; ``frames`` are how many were judged."""
    names = list(films.content)
    return joined(
        _note(films, frames=frames),
        element(
            "div",
            {"id": "controls", "hidden": ""},
            _controls(len(films.seconds), first_frame),
            _comparison(names, films),
        ),
        element("div", {"class": "films"}, *(_film(name, films) for name in names)),
    )


def _note(films: Films, *, frames: int) -> Markup:
    quality, shown = films.quality, len(films.seconds)
    parts = [
        f"H.264 at {films.size[0]}x{films.size[1]} (CRF {quality.crf}):"
        " compression hides and adds flicker, and the figures were measured without it."
    ]
    if quality != QUALITIES[0]:
        parts.append("The quality is reduced to keep this page small.")
    if not films.complete:
        parts.append(f"Only the first {shown} of {frames} frames are here, for the same reason.")
    return element("p", {"class": "hint"}, " ".join(parts))


def _controls(frames: int, first_frame: int) -> Markup:
    speeds = [("1", "full speed"), ("0.5", "half speed"), ("0.25", "a quarter"), ("0.1", "a tenth")]
    return element(
        "div",
        {"class": "row"},
        element("button", {"type": "button", "id": "play"}, "Play"),
        _labelled(
            "Frame",
            element(
                "input",
                {
                    "type": "range",
                    "id": "frame",
                    "min": 0,
                    "max": frames - 1,
                    "value": 0,
                    "step": 1,
                },
            ),
        ),
        element("output", {"id": "now", "for": "frame"}, f"frame {first_frame}"),
        _labelled(
            "Speed",
            element(
                "select",
                {"id": "speed"},
                *(element("option", {"value": value}, text) for value, text in speeds),
            ),
        ),
    )


def _comparison(names: Sequence[str], films: Films) -> Markup:
    width, height = films.size
    # The last clip is a judged one; beside it what it was made from, or the per-frame painting.
    left = max(0, len(names) - 2)
    wipe = {"type": "range", "id": "wipe", "min": 0, "max": 100, "value": 50, "step": 1}
    canvas = {
        "id": "compared",
        "width": width,
        "height": height,
        "role": "img",
        "aria-label": "Two clips in one picture, with a line between them that can be moved",
    }
    return element(
        "div",
        {"class": "comparison"},
        element("canvas", canvas),
        element(
            "div",
            {"class": "row"},
            _labelled("Left", _choice("left", names, left)),
            _labelled("Line", element("input", wipe)),
            _labelled("Right", _choice("right", names, len(names) - 1)),
        ),
    )


def _choice(identity: str, names: Sequence[str], chosen: int) -> Markup:
    options = [
        element("option", {"value": at, **({"selected": ""} if at == chosen else {})}, name)
        for at, name in enumerate(names)
    ]
    return element("select", {"id": identity}, *options)


def _labelled(text: str, control: Markup) -> Markup:
    return element("label", {}, element("span", {}, text), " ", control)


def _film(name: str, films: Films) -> Markup:
    width, height = films.size
    film = {
        "src": data_uri("video/mp4", films.content[name]),
        "width": width,
        "height": height,
        "aria-label": name,
        "controls": "",
        "muted": "",
        "loop": "",
        "playsinline": "",
        "preload": "auto",
    }
    caption = element("figcaption", {}, element("bdi", {}, name))
    return element("figure", {}, element("video", film), caption)
