"""A folder to work in, and clips to work on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tests.cli.stamp_calls import CHUNKS

WriteClip = Callable[..., Path]

IDENTITY = "version: 1\nstages:\n  - use: decode/pyav\n  - use: encode/pyav\n    codec: ffv1\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an identity pipeline in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VIDSTYLE_PLUGINS", raising=False)
    (tmp_path / "identity.yaml").write_text(IDENTITY)
    return tmp_path


@pytest.fixture
def write_clip() -> WriteClip:
    """Writes a small clip: a gradient that moves, and another image from ``cut`` on."""

    def write(path: Path, *, count: int = 12, cut: int | None = None) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        x, y = np.meshgrid(np.arange(160), np.arange(128))
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, width=160, height=128)
            stream.pix_fmt = "yuv420p"
            for index in range(count):
                level = (x * 2 + y + 3 * index) % 256
                if cut is not None and index >= cut:
                    level = 255 - (level // 2)
                image = np.stack([level, 255 - level, level // 2 + 60], -1).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def clips(folder: Path, write_clip: WriteClip) -> Path:
    """Three clips, and a pipeline with an option to change."""
    (folder / "p.yaml").write_text(CHUNKS)
    for number, name in enumerate(("a", "b", "deep/c"), start=1):
        write_clip(folder / "clips" / f"{name}.mp4", count=8 + number)
    return folder
