"""Programs that ``vidstyle bench`` times a pipeline against.

    python -m vidstyle.evaluation.reference_loops frame-loop CLIP STYLE OUTPUT FRAMES CRF PRESET
    python -m vidstyle.evaluation.reference_loops stylizer PIPELINE CLIP FRAMES
        [STAGE.OPTION=VALUE ...]

``frame-loop`` is the per-frame loop of published scripts in eager PyTorch: decode, network in
float32, Farneback both ways, occlusion mask, warp, blend, libx264, with the same weights and one
thing at a time. ``stylizer`` runs the stylizer of a pipeline over frames that are in memory
already. Both print the JSON lines of ``vidstyle run``.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from vidstyle.core import HostArray
from vidstyle.evaluation.speed import print_frame
from vidstyle.imaging.derived import Gray8

if TYPE_CHECKING:
    from vidstyle.models.style.network import StyleNetwork

_BLEND_WEIGHT = 0.85
# Pixels that the two flows may disagree by.
_CONSISTENT = 1.0


def run_frame_loop(
    clip: Path, style: str, output: Path, frames: int, *, crf: int, preset: str
) -> None:
    """Write a clip stylized and blended, and print a line for each frame.

    Args:
        clip: To read.
        style: A style's name or file.
        output: To write.
        frames: How many.
        crf: Of libx264.
        preset: Of libx264.
    """
    # The other program runs without PyTorch, which takes seconds to import.
    import av

    from vidstyle.models.style.style_file import load_style
    from vidstyle.models.style.styles import find_style

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
            image = _stylize(network, pixels)
            if before is not None:
                image = _blend(image, gray, *before)
            before = image, gray
            eight_bit = np.rint(image * 255).astype(np.uint8)
            target.mux(stream.encode(av.VideoFrame.from_ndarray(eight_bit, format="rgb24")))
            print_frame(index)
        target.mux(stream.encode(None))


def run_stylizer(pipeline: Path, clip: Path, frames: int, overrides: list[str]) -> None:
    """Stylize the first frames of a clip, and print a line for each.

    Args:
        pipeline: A YAML file.
        clip: To read.
        frames: How many.
        overrides: As ``vidstyle run --set`` takes them.
    """
    from vidstyle.runner.config.discovery import Registry, folders_from_environment
    from vidstyle.runner.config.pipeline import load_pipeline
    from vidstyle.runner.execution.frame_reader import FrameReader
    from vidstyle.runner.execution.nodes import make_node
    from vidstyle.runner.job import Job, prepared
    from vidstyle.runner.plan.device import limit_threads

    registry = Registry(folders_from_environment())
    loaded = load_pipeline(pipeline, registry=registry, overrides=overrides)
    job = Job(loaded, clip, Path("none.mkv"), frames=(0, frames))
    with prepared(job) as (assembly, plan):
        position = next(i for i, entry in enumerate(assembly.entries) if entry.kind == "stylize")
        reader = FrameReader(assembly.source, plan, assembly.inputs)
        wanted = list(islice(reader.run(), frames))
        stage, planned = assembly.stages[position], plan.stages[position]
        stage.open(plan.source.clip, planned.context)
        limit_threads(planned.context.threads)
        for done in make_node(planned, stage, assembly.entries[position]).run(wanted):
            done.host("image")
            print_frame(done.index)
        stage.close()


def _stylize(network: StyleNetwork, pixels: npt.NDArray[np.uint8]) -> HostArray:
    """(H, W, 3) in [0, 1] of 8-bit pixels, one image through the network."""
    import torch

    from vidstyle.models.style.network import stylize

    with torch.inference_mode():
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255
        result = stylize(network, image)[0].clamp(0, 1).permute(1, 2, 0)
    return np.ascontiguousarray(result.numpy())


def _blend(image: HostArray, gray: Gray8, previous: HostArray, previous_gray: Gray8) -> HostArray:
    """The stylized image mixed with the previous result, where Farneback's flows agree."""
    back, forth = _farneback(gray, previous_gray), _farneback(previous_gray, gray)
    height, width = gray.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    across, down = columns + back[..., 0], rows + back[..., 1]
    returned = back + cv2.remap(forth, across, down, cv2.INTER_LINEAR)
    inside = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    visible = inside & (np.hypot(returned[..., 0], returned[..., 1]) < _CONSISTENT)
    warped = cv2.remap(previous, across, down, cv2.INTER_LINEAR)
    weight = (_BLEND_WEIGHT * visible).astype(np.float32)[..., None]
    mixed: HostArray = image + weight * (warped - image)
    return mixed


def _farneback(first: Gray8, second: Gray8) -> HostArray:
    flow = cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)  # type: ignore[call-overload]  # None: no first guess
    return np.asarray(flow, np.float32)


def main(arguments: list[str]) -> None:
    """Run the program that the first argument names.

    Args:
        arguments: The program's name and arguments.
    """
    program, first, second, *rest = arguments
    if program == "stylizer":
        count, *overrides = rest
        run_stylizer(Path(first), Path(second), int(count), overrides)
    else:
        output, count, crf, preset = rest
        run_frame_loop(Path(first), second, Path(output), int(count), crf=int(crf), preset=preset)


if __name__ == "__main__":
    main(sys.argv[1:])
