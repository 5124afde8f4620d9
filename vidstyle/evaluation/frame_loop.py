"""What people run without vidstyle: a loop over frames, in eager PyTorch, one thing at a time.

    python -m vidstyle.evaluation.frame_loop CLIP STYLE OUTPUT FRAMES CRF PRESET

Decode, network in float32, Farneback both ways, occlusion mask, warp, blend, libx264: the same job
with the same weights, as the published scripts do it. Prints the JSON lines of ``vidstyle run``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import torch

from vidstyle.core import HostArray
from vidstyle.evaluation.speed import tell
from vidstyle.imaging.derived import Gray8
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import load_style
from vidstyle.models.style.styles import find_style

_SHARE = 0.85
_NEAR = 1.0
# Pixels that the two flows may disagree by.


def run_loop(clip: Path, style: str, output: Path, frames: int, *, crf: int, preset: str) -> None:
    """Write the clip painted and blended, telling of each frame."""
    network = load_style(find_style(style)).module
    with av.open(str(clip)) as source, av.open(str(output), "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream("libx264", rate=video.average_rate)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": preset}
        before: tuple[HostArray, Gray8] | None = None
        for index, frame in enumerate(source.decode(video)):
            if index == frames:
                break
            pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            gray = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
            image = stylized(network, pixels)
            if before is not None:
                image = blended(image, gray, *before)
            before = image, gray
            eight_bit = np.rint(image * 255).astype(np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(eight_bit, format="rgb24")))
            tell(index)
        target.mux(stream.encode(None))


def stylized(network: StyleNetwork, pixels: npt.NDArray[np.uint8]) -> HostArray:
    """(H, W, 3) in [0, 1] of 8-bit pixels, one image through the network."""
    with torch.inference_mode():
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        result = stylize(network, image)[0].clamp(0, 1).permute(1, 2, 0)
    return np.ascontiguousarray(result.numpy())


def blended(image: HostArray, gray: Gray8, previous: HostArray, previous_gray: Gray8) -> HostArray:
    """The painting mixed with the previous result, where Farneback's flows agree."""
    back, forth = _farneback(gray, previous_gray), _farneback(previous_gray, gray)
    height, width = gray.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    across, down = columns + back[..., 0], rows + back[..., 1]
    returned = back + cv2.remap(forth, across, down, cv2.INTER_LINEAR)
    inside = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    visible = inside & (np.hypot(returned[..., 0], returned[..., 1]) < _NEAR)
    warped = cv2.remap(previous, across, down, cv2.INTER_LINEAR)
    share = (_SHARE * visible).astype(np.float32)[..., None]
    mixed: HostArray = image + share * (warped - image)
    return mixed


def _farneback(first: Gray8, second: Gray8) -> HostArray:
    flow = cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore[call-overload]  # None: no first guess
    return np.asarray(flow, np.float32)


if __name__ == "__main__":
    clip, style, output, count, crf, preset = sys.argv[1:]
    run_loop(Path(clip), style, Path(output), int(count), crf=int(crf), preset=preset)
