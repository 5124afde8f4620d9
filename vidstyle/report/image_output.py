"""An image as the output of a command."""

from __future__ import annotations

import cv2

from vidstyle.core.errors import OutputError
from vidstyle.imaging.contact_sheet import Image
from vidstyle.runner.storage.destination import Destination
from vidstyle.stages.encode.image_format import write_in_format


def put_image(destination: Destination, image: Image, *, quality: int) -> None:
    """Write an image apart from its destination, then put it in place.

    Args:
        destination: The file; its suffix is one of ``image_format.IMAGE_FORMATS``.
        image: (H, W, 3) RGB.
        quality: Of JPEG and WebP files, 1 to 100.

    Raises:
        OutputError: It cannot be written, or exists and must not be replaced.
        LockedError: Another run writes it.
    """
    _, png = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    with destination.reserved():
        try:
            write_in_format(destination.partial, png.tobytes(), quality=quality)
        except OSError as error:
            raise OutputError(f"cannot write {destination.path}: {error.strerror}") from error
        destination.commit()
