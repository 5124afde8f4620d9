"""Faces are found, and kept where the result has one at the same place."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core.errors import InputError
from vidstyle.evaluation import face_retention
from vidstyle.evaluation.face_retention import (
    FaceBox,
    FaceFinder,
    FaceRetention,
    box_overlap,
    count_kept,
)
from vidstyle.evaluation.image_distances import ImageEvaluator

# Of OpenCV; it states its authors and its license, BSD.
CASCADE = Path(__file__).parent / "lbpcascade_frontalface_improved.xml"
BOX = FaceBox(10, 20, 40, 40)


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        (BOX, 1.0),
        (FaceBox(30, 20, 40, 40), 800 / 2400),
        (FaceBox(20, 30, 20, 20), 400 / 1600),
        (FaceBox(50, 20, 40, 40), 0.0),
        (FaceBox(100, 100, 5, 5), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(other: FaceBox, overlap: float) -> None:
    assert box_overlap(BOX, other) == pytest.approx(overlap)
    assert box_overlap(other, BOX) == pytest.approx(overlap)


def test_a_face_is_kept_by_an_overlap_of_two_fifths() -> None:
    wide = FaceBox(0, 0, 100, 10)
    assert count_kept([wide], [FaceBox(0, 0, 40, 10)]) == 1
    assert count_kept([wide], [FaceBox(0, 0, 39, 10)]) == 0
    assert count_kept([wide, BOX], [BOX, BOX]) == 1
    assert count_kept([], [BOX]) == 0


def drawn_face(side: int = 240) -> np.ndarray:
    """What the cascade takes for a face: an oval with eyes, brows, a nose and a mouth."""
    image = np.full((side, side, 3), 90, np.uint8)
    middle = side // 2

    def oval(right: float, down: float, size: tuple[float, float], level: int) -> None:
        at = (round(middle + right * side), round(middle + down * side))
        axes = (round(size[0] * side), round(size[1] * side))
        cv2.ellipse(image, at, axes, 0, 0, 360, (level,) * 3, -1, cv2.LINE_AA)

    oval(0, 0, (0.2, 0.27), 205)
    for way in (-1, 1):
        oval(0.085 * way, -0.065, (0.055, 0.03), 95)
        oval(0.085 * way, -0.055, (0.03, 0.014), 30)
        oval(0.085 * way, -0.105, (0.055, 0.012), 60)
    oval(0, 0.035, (0.02, 0.055), 225)
    oval(0, 0.07, (0.035, 0.012), 140)
    oval(0, 0.135, (0.07, 0.016), 70)
    return cv2.GaussianBlur(image, (0, 0), side / 120)


def test_a_face_is_found_where_it_is() -> None:
    finder = FaceFinder(CASCADE)
    around = np.full((360, 500, 3), 90, np.uint8)
    around[60:300, 200:440] = drawn_face()
    (box,) = finder.find(around)
    assert box_overlap(box, FaceBox(200 + 66, 60 + 54, 108, 130)) > 0.4
    assert finder.find(np.full((360, 500, 3), 90, np.uint8)) == []


def test_small_photos_are_enlarged() -> None:
    """A face of 40 pixels is below the window, and found in a small photo all the same."""
    finder = FaceFinder(CASCADE)
    small = cv2.resize(drawn_face(), (90, 90), interpolation=cv2.INTER_AREA)
    photo = np.full((200, 300, 3), 90, np.uint8)
    photo[50:140, 100:190] = small
    assert len(finder.find(photo)) == 1
    large = np.full((200, 1000, 3), 90, np.uint8)
    large[50:140, 100:190] = small
    assert finder.find(large) == []


@pytest.mark.parametrize("content", [b"", b"no cascade", b"\xff\xfe", b'<?xml version="1.0"?><a/>'])
def test_what_is_no_cascade_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cascade.xml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cascade\.xml"):
        FaceFinder(path)
    with pytest.raises(InputError, match=r"cannot read the cascade .*none\.xml"):
        FaceFinder(tmp_path / "none.xml")


class Pixels(ImageEvaluator):
    """Compares images pixel by pixel."""

    def __init__(self) -> None: ...

    def content(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"pixels": image}


class MarkedFinder(FaceFinder):
    """Finds one face where the first pixel is white."""

    def __init__(self) -> None: ...

    def find(self, image: np.ndarray) -> list[FaceBox]:
        return [BOX] if image[0, 0, 0] == 255 else []


def photo(level: int, *, face: bool) -> np.ndarray:
    image = np.full((80, 100, 3), level, np.uint8)
    image[0, 0] = 255 if face else 0
    return image


def test_faces_are_counted_and_compared_inside_their_boxes() -> None:
    retention = FaceRetention(MarkedFinder(), Pixels())
    changed = photo(0, face=True)
    changed[20:60, 10:50] = 51
    retention.add(photo(0, face=True), {"keeps": photo(0, face=True), "changes": changed})
    # Only the outside of the box changes, and the face is lost.
    outside = photo(255, face=False)
    outside[20:60, 10:50] = 102
    retention.add(photo(102, face=True), {"keeps": photo(102, face=True), "changes": outside})
    retention.add(photo(0, face=False), {"keeps": photo(3, face=True), "changes": changed})
    assert retention.faces == 2
    assert retention.kept() == {"keeps": 1.0, "changes": 0.5}
    content = retention.content()
    assert content["keeps"] == 0
    # Two faces, one of them off by 0.2; other photos are off by 0.4, but for one pixel.
    assert content["changes"] == pytest.approx((0.2**2 / 2) / 0.4**2, rel=1e-3)


def test_photos_without_a_face_are_an_error() -> None:
    retention = FaceRetention(MarkedFinder(), Pixels())
    retention.add(photo(3, face=False), {"net": photo(3, face=False)})
    with pytest.raises(InputError, match="there are no faces"):
        retention.kept()
    with pytest.raises(InputError, match="at least two photos, and a face"):
        retention.content()


def test_a_small_box_covers_one_position_at_least() -> None:
    features = {"x": torch.zeros(1, 4, 10, 10)}
    cut = face_retention._cut(features, FaceBox(795, 795, 4, 4), (800, 800, 3))
    assert cut["x"].shape == (1, 4, 1, 1)
