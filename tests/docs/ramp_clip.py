"""A clip for the commands of the pages."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np


def write_ramp(path: Path | str, *, width: int = 96, height: int = 64) -> None:
    """Ten frames of one gray each, from dark to light."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, width=width, height=height)
        stream.pix_fmt = "yuv420p"
        for level in range(0, 200, 20):
            image = np.full((height, width, 3), level, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
