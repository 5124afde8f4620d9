"""The clips as films that play in step, and two of them in one image with a line between."""

from __future__ import annotations

from collections.abc import Sequence

from vidstyle.report.data_uri import data_uri
from vidstyle.report.markup import Markup, element, joined
from vidstyle.report.preview_video import QUALITIES, PreviewVideos


def player(preview_videos: PreviewVideos, *, frames: int, first_frame: int) -> Markup:
    """The films, one slider for all, and the comparison; ``frames`` are how many were judged."""
    names = list(preview_videos.content)
    return joined(
        _note(preview_videos, frames=frames),
        element(
            "div",
            {"id": "controls", "hidden": ""},
            _controls(len(preview_videos.seconds), first_frame),
            _comparison(names, preview_videos),
        ),
        element(
            "div", {"class": "films"}, *(_preview_video(name, preview_videos) for name in names)
        ),
    )


def _note(preview_videos: PreviewVideos, *, frames: int) -> Markup:
    quality, shown = preview_videos.quality, len(preview_videos.seconds)
    parts = [
        f"H.264 at {preview_videos.size[0]}x{preview_videos.size[1]} (CRF {quality.crf}):"
        " compression hides and adds flicker, and the figures were measured without it."
    ]
    if quality != QUALITIES[0]:
        parts.append("The quality is reduced to keep this page small.")
    if not preview_videos.complete:
        parts.append(f"Only the first {shown} of {frames} frames are here, for the same reason.")
    return element("p", {"class": "hint"}, " ".join(parts))


def _controls(frames: int, first_frame: int) -> Markup:
    speeds = [("1", "full speed"), ("0.5", "half speed"), ("0.25", "a quarter"), ("0.1", "a tenth")]
    return element(
        "div",
        {"class": "row"},
        element("button", {"type": "button", "id": "play"}, "Play"),
        _labeled(
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
        _labeled(
            "Speed",
            element(
                "select",
                {"id": "speed"},
                *(element("option", {"value": value}, text) for value, text in speeds),
            ),
        ),
    )


def _comparison(names: Sequence[str], preview_videos: PreviewVideos) -> Markup:
    width, height = preview_videos.size
    # The last clip is a judged one; beside it what it was made from, or the per-frame painting.
    left = max(0, len(names) - 2)
    wipe = {"type": "range", "id": "wipe", "min": 0, "max": 100, "value": 50, "step": 1}
    canvas = {
        "id": "compared",
        "width": width,
        "height": height,
        "role": "img",
        "aria-label": "Two clips in one image, with a line between them that can be moved",
    }
    return element(
        "div",
        {"class": "comparison"},
        element("canvas", canvas),
        element(
            "div",
            {"class": "row"},
            _labeled("Left", _choice("left", names, left)),
            _labeled("Line", element("input", wipe)),
            _labeled("Right", _choice("right", names, len(names) - 1)),
        ),
    )


def _choice(identity: str, names: Sequence[str], chosen: int) -> Markup:
    options = [
        element("option", {"value": at, **({"selected": ""} if at == chosen else {})}, name)
        for at, name in enumerate(names)
    ]
    return element("select", {"id": identity}, *options)


def _labeled(text: str, control: Markup) -> Markup:
    return element("label", {}, element("span", {}, text), " ", control)


def _preview_video(name: str, preview_videos: PreviewVideos) -> Markup:
    width, height = preview_videos.size
    preview_video = {
        "src": data_uri("video/mp4", preview_videos.content[name]),
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
    return element("figure", {}, element("video", preview_video), caption)
