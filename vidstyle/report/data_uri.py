"""Pictures and films inside the page."""

from __future__ import annotations

import base64
from typing import Literal

import cv2
import numpy as np

from vidstyle.imaging.contact_sheet import Picture
from vidstyle.report.markup import Markup


def data_uri(kind: Literal["image/jpeg", "image/png", "video/mp4"], content: bytes) -> Markup:
    """An address that is the content itself; there is nothing in it to escape."""
    return Markup(f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}")


def jpeg(picture: Picture, *, quality: int) -> Markup:
    """A picture (H, W, 3) RGB; ``quality`` is 0 to 100."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return data_uri("image/jpeg", _encoded(".jpg", picture, flags))


def png(picture: Picture) -> Markup:
    """A picture (H, W, 3) RGB, without loss."""
    return data_uri("image/png", _encoded(".png", picture, []))


def _encoded(suffix: str, picture: Picture, flags: list[int]) -> bytes:
    # Reversing the channels makes RGB the BGR that OpenCV writes from.
    done, content = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]), flags)
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as {suffix}")
    return content.tobytes()
