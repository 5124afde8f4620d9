"""Learning a style from images alone: what ``--style image.jpg`` does before a run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib import resources
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core.errors import InputError, UsageError, WeightsError
from vidstyle.models.optimization.style_image_file import read_style_image
from vidstyle.training.settings import TrainingSettings

if TYPE_CHECKING:
    from vidstyle.models.style.style_file import StyleInfo
    from vidstyle.training.watch import Watcher

ON_THE_SPOT = TrainingSettings(
    iterations=300,
    initial_weights="nearest",
    precision="auto",
    content_weight=0.06,
)
"""Two and a half minutes on two cores. A style that draws strokes is nearer to any other than the
base network."""
RECIPE: Final = 4
"""Raised when the same settings give another style: then kept styles are learned again."""
# Scenes alone are busier than photos: where all is drawn already, no strokes are learned. The
# photos alone are few.
_SCENES: Final = 16
_COPIES: Final = 4
_CHECKPOINT_EVERY: Final = 10
# Length of all style images side by side, relative to their height: what a loss network has memory
# for at `style_image_side`.
_LONGEST: Final = 16


def learn_style(
    images: Sequence[Path],
    *,
    destination: Path,
    settings: TrainingSettings,
    weights: Path | None = None,
    device: str = "cpu",
    title: str = "",
    watcher: Watcher | None = None,
) -> StyleInfo:
    """Learn one style from one or more images, on photos that ship and scenes that are drawn.

    The result depends on the images and the settings alone, not on a clip. An interrupted call is
    resumed by the same call, from ``NAME.checkpoint`` beside the destination, and gives the same
    bits; a checkpoint that is damaged, or of other settings, is replaced.

    Args:
        images: Style images; several are learned as one style, each by its area.
        destination: The style file.
        settings: Of the training.
        weights: The loss network's weights; None for ``VIDSTYLE_WEIGHTS`` and the user's cache.
        device: As torch names it.
        title: Of the style, for people.
        watcher: Called with each step.

    Returns:
        What the style file says about itself.

    Raises:
        InputError: An image cannot be read.
        UsageError: The images are too long together, or a loss is not finite.
        WeightsError: The loss network cannot be loaded.
        OutputError: The destination cannot be written.

    References:
        Johnson et al. 2016, Perceptual Losses for Real-Time Style Transfer.
    """
    # torch takes seconds to import.
    from vidstyle.models.style.style_file import Credit
    from vidstyle.training.loop import train_style
    from vidstyle.training.scenes import write_scenes

    checkpoint = destination.with_suffix(".checkpoint")
    with TemporaryDirectory(prefix="vidstyle-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        joined, content = folder / "style.png", folder / "content"
        pixels = join_images(images, settings.style_image_side)
        cv2.imwrite(str(joined), pixels[..., ::-1])
        content.mkdir()
        write_scenes(content, _SCENES, seed=settings.seed)
        for photo, copy in product(sorted(shipped_photos_folder().glob("*.jpg")), range(_COPIES)):
            shutil.copy(photo, content / f"{photo.stem}-{copy}.jpg")

        def train() -> StyleInfo:
            return train_style(
                settings,
                style_image=joined,
                photos=content,
                destination=destination,
                credit=Credit(title),
                weights=weights,
                device=device,
                resume=True,
                checkpoint_every=_CHECKPOINT_EVERY,
                preview_every=settings.iterations + 1,
                watcher=watcher,
            )

        try:
            return train()
        except (UsageError, WeightsError):
            if not checkpoint.is_file():
                raise
            checkpoint.unlink()
        return train()


def join_images(images: Sequence[Path], side: int) -> npt.NDArray[np.uint8]:
    """Read style images and put them side by side, upright and of one height.

    Their Gram matrices are then the mean of each one's, by area.

    Args:
        images: Files.
        side: Height of several, shorter side of one, in pixels.

    Returns:
        (H, W, 3) RGB.

    Raises:
        InputError: An image cannot be read.
        UsageError: They are too long together.
    """
    pixels = [read_style_image(path) for path in images]
    # The shorter side of one image is that of a training; several have the same height.
    lengths = [min(image.shape[:2]) if len(pixels) == 1 else image.shape[0] for image in pixels]
    sizes = [
        tuple(max(1, round(extent * side / length)) for extent in image.shape[:2])
        for image, length in zip(pixels, lengths, strict=True)
    ]
    if sum(max(size) for size in sizes) > _LONGEST * side:
        names = ", ".join(path.name for path in images)
        raise UsageError(
            f"{names}: more than {_LONGEST} times as long as high"
            + (" side by side: give fewer style images" if len(images) > 1 else ": crop it")
        )
    parts = [
        cv2.resize(
            image,
            (width, height),
            interpolation=cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_CUBIC,
        )
        for image, (height, width) in zip(pixels, sizes, strict=True)
    ]
    return (np.hstack(parts).clip(0, 1) * 255).round().astype(np.uint8)


def shipped_photos_folder() -> Path:
    """The folder of the photos that come with vidstyle."""
    return Path(str(resources.files("vidstyle") / "assets" / "photos"))


def check_images(images: Sequence[Path]) -> None:
    """Check that images can be learned from, before anything else is done.

    Args:
        images: Files.

    Raises:
        InputError: One is missing, damaged, no image, or too large.
        UsageError: They are too long together.
    """
    if not images:
        raise InputError("there is no style image")
    join_images(images, 64)
