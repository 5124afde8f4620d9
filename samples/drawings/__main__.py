"""``python -m samples.drawings FOLDER [NAME ...]``: draws the style images as PNG files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from vidstyle.core.errors import VidstyleError

from .drawing import DRAWINGS, write_drawings


def main(arguments: Sequence[str]) -> None:
    if not arguments or arguments[0].startswith("-"):
        raise SystemExit(f"{__doc__}\nNames: {', '.join(DRAWINGS)}")
    try:
        files = write_drawings(Path(arguments[0]), arguments[1:] or tuple(DRAWINGS))
    except VidstyleError as error:
        raise SystemExit(str(error)) from error
    for file in files:
        print(file)


if __name__ == "__main__":
    main(sys.argv[1:])
