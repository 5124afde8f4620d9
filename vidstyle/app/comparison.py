"""Before and after in one frame, with a line between them that can be moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PAGE = (Path(__file__).parent / "comparison.html").read_text(encoding="utf-8")


def comparison_page(preview_videos: Path) -> str:
    """A page of HTML of what ``clip_work`` wrote; numbers and base64 are all that it takes in."""
    found: dict[str, Any] = json.loads(preview_videos.read_text(encoding="utf-8"))
    width, height = found["size"]
    page = _PAGE.replace("WIDTH", str(int(width))).replace("HEIGHT", str(int(height)))
    return page.replace("BEFORE", found["before"]).replace("AFTER", found["after"])
