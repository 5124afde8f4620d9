"""Two inks: every picture printed in a dark and a light one. A worked example."""

import numpy as np

from vidstyle.core import HostArray, picture_filter


@picture_filter
def duotone(image: HostArray, *, strength: float = 1.0) -> HostArray:
    """Print the picture in deep blue and warm paper; strength 0 leaves it as it is."""
    light = image @ np.float32([0.2126, 0.7152, 0.0722])  # luma, ITU-R BT.709
    ink, paper = np.float32([0.10, 0.13, 0.36]), np.float32([1.00, 0.93, 0.80])
    printed = ink + light[..., np.newaxis] * (paper - ink)
    return np.clip(image + np.float32(strength) * (printed - image), 0, 1)


STAGE = duotone
