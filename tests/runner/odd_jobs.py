"""Jobs whose stage misbehaves as asked, for tests of what runs them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.job import Job

PLUGIN = """\
import os, time
from pathlib import Path
from vidstyle.core import HostArray, image_filter

@image_filter
def odd(image: HostArray, *, deed: str = "none", delay: float = 0.0) -> HostArray:
    time.sleep(delay)
    if deed == "abort":
        os.abort()
    if deed == "leave":
        os._exit(3)
    if deed == "abort once" and not Path("aborted").exists():
        Path("aborted").touch()
        os.abort()
    if deed == "no memory":
        raise MemoryError
    if deed == "raise":
        raise ValueError("an odd image")
    return 1 - image

STAGE = odd
"""
PIPELINE = """\
version: 1
chunk: {least: 50, most: 50}
stages:
  - use: decode/pyav
  - use: filter/odd
    deed: DEED
    delay: DELAY
  - use: encode/pyav
    codec: ffv1
"""


def make_job(
    folder: Path, name: str, *, deed: str = "none", delay: float = 0, timeout: float = 1800
) -> Job:
    """A job on a clip of twelve frames."""
    plugin = folder / "plugins" / "filter" / "odd.py"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.write_text(PLUGIN)
    (folder / "p.yaml").write_text(PIPELINE.replace("DEED", deed).replace("DELAY", str(delay)))
    with av.open(str(folder / "in.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=32, height=16)
        for index in range(12):
            image = np.full((16, 32, 3), 10 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode(None))
    pipeline = load_pipeline(folder / "p.yaml", registry=Registry([folder / "plugins"]))
    return Job(pipeline, folder / "in.mkv", folder / f"{name}.mkv", timeout=timeout)
