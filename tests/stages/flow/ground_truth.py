"""Scenes whose motion was measured, from the shared data."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from vidstyle.core import HostArray
from vidstyle.imaging.derived import Gray8
from vidstyle.imaging.flow_file import read_flow


def gray_scene(folder: Path) -> tuple[tuple[Gray8, Gray8], HostArray]:
    """Both images of a scene, and the flow from the first to the second."""
    first, second = (
        cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
        for name in ("frame10.png", "frame11.png")
    )
    assert first is not None
    assert second is not None
    return (np.asarray(first, np.uint8), np.asarray(second, np.uint8)), read_flow(
        folder / "flow10.flo"
    )
