"""What the page runs for one photo in a trained style."""

from __future__ import annotations

import json
from pathlib import Path

from vidstyle.app.tasks import IMAGE, Command, Commands, PhotoChoices, Task
from vidstyle.imaging.image_size import image_size

_STAGES = ("decode/images", "stylize/feedforward", "encode/images")


def photo_task(folder: Path, chosen: PhotoChoices) -> Task:
    """Stylize an image in a trained style, in about a second; writes ``IMAGE``."""

    def commands() -> Commands:
        # No shipped pipeline: those have options of videos, and say that an image lacks them.
        pipeline = folder / "pipeline.yaml"
        pipeline.write_text(json.dumps({"version": 1, "stages": [{"use": use} for use in _STAGES]}))
        files = (str(pipeline), str(chosen.content), "-o", str(folder / IMAGE))
        yield Command("Stylizing", ("run", *files, *_options(chosen)))

    return Task("image", folder, chosen, (chosen.content, chosen.style), commands, (IMAGE,))


def _options(chosen: PhotoChoices) -> list[str]:
    options = ["--style", str(chosen.style), "--strength", str(chosen.strength)]
    options += ["--stroke-size", str(chosen.stroke_size)]
    size = image_size(chosen.content.read_bytes())
    if chosen.size is not None and size is not None and min(size) > chosen.size:
        options += ["--size", f"{chosen.size}p"]
    return [*options, *(["--keep-colors"] if chosen.keep_colors else [])]
