"""Images and films inside the page."""

from __future__ import annotations

import base64
from typing import Literal

import cv2
import numpy as np

from vidstyle.imaging.contact_sheet import Image
from vidstyle.report.markup import Markup


def data_uri(kind: Literal["image/jpeg", "image/png", "video/mp4"], content: bytes) -> Markup:
    """An address that is the content itself; there is nothing in it to escape."""
    return Markup(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}")


def jpeg(image: Image, *, quality: int) -> Markup:
    """An image (H, W, 3) RGB; ``quality`` is 0 to 100."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return data_uri("image/jpeg", _encoded(".jpg", image, flags))


def png(image: Image) -> Markup:
    """An image (H, W, 3) RGB, without loss."""
    return data_uri("image/png", _encoded(".png", image, []))


def _encoded(suffix: str, image: Image, flags: list[int]) -> bytes:
    # Reversing the channels makes RGB the BGR that OpenCV writes from.
    done, content = cv2.imencode(suffix, np.ascontiguousarray(image[..., ::-1]), flags)
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as {suffix}")
    return content.tobytes()
