"""Two inks: every image printed in a dark and a light one. A worked example."""

import numpy as np

from vidstyle.core import HostArray, image_filter

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # ITU-R BT.709
INK, PAPER = np.array([[0.10, 0.13, 0.36], [1.00, 0.93, 0.80]], np.float32)


@image_filter
def duotone(image: HostArray, *, strength: float = 1.0) -> HostArray:
    """Prints the image in deep blue on warm paper. Strength 0 leaves it unchanged."""
    printed = INK + (image @ LUMA)[..., np.newaxis] * (PAPER - INK)
    mixed: HostArray = image + np.float32(strength) * (printed - image)
    return mixed.clip(0, 1)


STAGE = duotone
