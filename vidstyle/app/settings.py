"""What the page is started with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MAX_UPLOAD = 512 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Fixed until the page ends."""

    pipelines: Path
    """The folder of pipelines that can be chosen."""
    images: Path | None = None
    """The folder of photos that can be chosen; None for uploads alone."""
    style_images: Path | None = None
    """The folder of paintings, likewise."""
    max_upload: int = MAX_UPLOAD
    """Bytes that an upload may have."""
    most_waiting: int = 8
    """Jobs that may wait for the one that runs."""
    grace_seconds: float = 8.0
    """After which a tab that is not there any more counts as closed: a network may stumble."""
