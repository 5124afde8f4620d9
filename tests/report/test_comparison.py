"""The comparison is one file with both clips in it, frame by frame."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import av
import numpy as np
import pytest

from tests.report.conftest import WriteClip
from tests.report.page_reader import PageReader
from vidstyle.core.errors import InputError, OutputError
from vidstyle.report.comparison import write_comparison
from vidstyle.runner.storage.destination import Destination
from vidstyle.testing import pan


@pytest.fixture
def clips(write_clip: WriteClip) -> tuple[Path, Path]:
    images = [frame.host("source") for frame in pan(frames=8).frames]
    return write_clip("1.mkv", images), write_clip("2.mkv", [1 - image for image in images])


def videos_of(page: Path) -> list[list[np.ndarray]]:
    found = []
    for video in PageReader(page.read_text("utf-8")).named("video"):
        content = base64.b64decode((video.attributes["src"] or "").split(",", 1)[1])
        with av.open(io.BytesIO(content)) as container:
            found.append([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    return found


def test_both_clips_are_in_the_page(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    page = tmp_path / "page.html"
    assert write_comparison(Destination(page, False), *clips, (2, 100)) == 6
    before, after = videos_of(page)
    assert len(before) == len(after) == 6
    assert before[0].shape == (128, 160, 3)
    for one, other in zip(before, after, strict=True):
        assert np.abs(one.astype(int) + other - 255).mean() < 8


def test_clips_of_other_lengths_are_refused(
    tmp_path: Path, clips: tuple[Path, Path], write_clip: WriteClip
) -> None:
    short = write_clip("3.mkv", [np.zeros((128, 160, 3), np.float32)] * 3)
    with pytest.raises(InputError, match=r"3\.mkv has 3 frames and .* has more"):
        write_comparison(Destination(tmp_path / "page.html", False), clips[0], short)
    assert not (tmp_path / "page.html").exists()


def test_a_page_is_only_replaced_on_request(tmp_path: Path, clips: tuple[Path, Path]) -> None:
    page = tmp_path / "page.html"
    page.write_text("old")
    with pytest.raises(OutputError, match="--overwrite"):
        write_comparison(Destination(page, False), *clips)
    assert page.read_text() == "old"
    write_comparison(Destination(page, True), *clips)
    assert page.read_text() != "old"
