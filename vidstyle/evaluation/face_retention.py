"""Whether a stylization keeps faces: those that a detector finds in the photo and in the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vidstyle.core.errors import InputError
from vidstyle.evaluation.image_distances import ImageEvaluator, feature_distances

SMALL_PHOTO = 1000
"""Photos whose longer side has fewer pixels are enlarged twice: a detector's window has 45."""
KEPT_OVERLAP = 0.4
"""A face is kept where the result has one whose box overlaps the photo's by so much."""
# Size of a detector's next window relative to the last, and how many windows agree on a face.
_STEP, _AGREEING = 1.1, 3

Photo = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A rectangle around a face, in pixels of its image."""

    left: float
    top: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """In pixels."""
        return self.width * self.height


class FaceFinder:
    """Finds faces by a cascade of OpenCV.

    Args:
        cascade: Its file, such as ``lbpcascade_frontalface_improved.xml``. Cascades on local binary
            patterns are strict; those on Haar features find faces that a stylization has erased.

    Raises:
        InputError: The file is missing or no cascade.

    References:
        Puttemans et al. 2017, Improving Open Source Face Detection by Combining an Adapted Cascade
        Classification Pipeline and Active Learning, for the improved cascade.
    """

    def __init__(self, cascade: Path) -> None:
        try:
            text = cascade.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read the cascade {cascade}: {error}") from error
        self._classifier = cv2.CascadeClassifier()
        storage = _parsed(text)
        if storage is None or not self._classifier.read(storage.getFirstTopLevelNode()):
            raise InputError(f"{cascade} is no cascade of OpenCV")

    def find(self, image: Photo) -> list[FaceBox]:
        """Find the faces of an image.

        Args:
            image: (H, W, 3) RGB, 8 bits.

        Returns:
            Their boxes, from the left.
        """
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        factor = 2 if max(gray.shape) < SMALL_PHOTO else 1
        if factor > 1:
            gray = cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        boxes = self._classifier.detectMultiScale(gray, _STEP, _AGREEING)
        found = (FaceBox(*(float(side) / factor for side in box)) for box in boxes)
        return sorted(found, key=lambda box: (box.left, box.top))


def _parsed(text: str) -> cv2.FileStorage | None:
    try:
        return cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    except (cv2.error, SystemError):
        return None


def box_overlap(first: FaceBox, second: FaceBox) -> float:
    """Compute the intersection of two boxes, divided by their union.

    Args:
        first: A box.
        second: Another one.

    Returns:
        0 to 1.
    """
    width = min(first.left + first.width, second.left + second.width) - max(first.left, second.left)
    height = min(first.top + first.height, second.top + second.height) - max(first.top, second.top)
    common = max(0.0, width) * max(0.0, height)
    return common / (first.area + second.area - common)


def count_kept(before: Sequence[FaceBox], after: Sequence[FaceBox]) -> int:
    """Count the faces of a photo that its stylization still has.

    Args:
        before: Of the photo.
        after: Of the stylized photo.

    Returns:
        How many of ``before`` overlap one of ``after`` by at least ``KEPT_OVERLAP``.
    """
    return sum(any(box_overlap(one, other) >= KEPT_OVERLAP for other in after) for one in before)


class FaceRetention:
    """Adds up, photo by photo, the faces that networks keep and how much they change inside.

    Args:
        finder: Finds the faces.
        evaluator: Compares their content.
    """

    def __init__(self, finder: FaceFinder, evaluator: ImageEvaluator) -> None:
        self._finder, self._evaluator = finder, evaluator
        self._kept: dict[str, int] = {}
        self._inside: dict[str, float] = {}
        self._previous: dict[str, torch.Tensor] | None = None
        self._unrelated: list[float] = []
        self.faces = 0
        """In all photos that were added."""

    def add(self, photo: Photo, stylized: dict[str, Photo]) -> None:
        """Compare the images that networks made of a photo.

        Args:
            photo: (H, W, 3) RGB, 8 bits.
            stylized: Of the same shape, by the network's name.
        """
        boxes = self._finder.find(photo)
        original = self._content(photo)
        if self._previous is not None:
            self._unrelated.append(_mean(feature_distances(original, self._previous)))
        self._previous = original
        self.faces += len(boxes)
        for name, image in stylized.items():
            kept = count_kept(boxes, self._finder.find(image)) if boxes else 0
            self._kept[name] = self._kept.get(name, 0) + kept
            self._inside.setdefault(name, 0.0)
            found = self._content(image) if boxes else {}
            for box in boxes:
                inside = [_cut(features, box, photo.shape) for features in (found, original)]
                self._inside[name] += _mean(feature_distances(*inside))

    def kept(self) -> dict[str, float]:
        """Fraction of the photos' faces that each network keeps, 0 to 1.

        Raises:
            InputError: There were no faces.
        """
        if not self.faces:
            raise InputError("there are no faces in the photos")
        return {name: kept / self.faces for name, kept in self._kept.items()}

    def content(self) -> dict[str, float]:
        """Content distance inside the faces' boxes: 1 is that of unrelated photos.

        Raises:
            InputError: There were no faces, or fewer than two photos.
        """
        if not self.faces or not self._unrelated:
            raise InputError("content in faces needs at least two photos, and a face")
        unrelated = sum(self._unrelated) / len(self._unrelated)
        return {name: total / self.faces / unrelated for name, total in self._inside.items()}

    def _content(self, image: Photo) -> dict[str, torch.Tensor]:
        planes = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255.0
        return dict(self._evaluator.content(planes))


def _cut(
    features: dict[str, torch.Tensor], box: FaceBox, shape: tuple[int, ...]
) -> dict[str, torch.Tensor]:
    """The positions whose pixels a box has, one at least."""
    found = {}
    for name, values in features.items():
        down, right = values.shape[2] / shape[0], values.shape[3] / shape[1]
        top, left = int(box.top * down), int(box.left * right)
        below = max(top + 1, round((box.top + box.height) * down))
        beyond = max(left + 1, round((box.left + box.width) * right))
        found[name] = values[:, :, top:below, left:beyond]
    return found


def _mean(values: dict[str, float]) -> float:
    return sum(values.values()) / len(values)
