"""How fast a GPU stylizes: the stylizer by itself, and pipelines up to the encoder.

    python benchmarks/gpu.py [--size 1920x1080] [--frames 96] [--weights FILE] [--device cuda]

The network is that of Johnson et al. with 32 channels, weights drawn at random, in batches of 4 and
float16: 638 GFLOP a frame at 1920x1080. The limit is what a large matrix product reaches on the
same device in the same precision. The pipelines decode a made clip, find flow at half size, stylize
and blend; ``--weights`` is RAFT-small's, which is left out where there are none.
Without a GPU it says so and ends with 8. On a processor all is float32.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import torch
from memory import write_clip  # type: ignore[import-not-found]  # beside this file
from torch.utils.flop_counter import FlopCounterMode

from vidstyle.core.context import Precision
from vidstyle.core.errors import DeviceError, WeightsError
from vidstyle.models.flow.raft_setup import find_raft
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.style_file import Credit, StyleInfo, save_style
from vidstyle.models.style.torch_stylizer import TorchStylizer
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.frame_reader import FrameReader
from vidstyle.runner.execution.nodes import make_node
from vidstyle.runner.execution.threaded import run_threaded
from vidstyle.runner.job import Job, prepared
from vidstyle.runner.plan.device import resolve_device
from vidstyle.runner.plan.memory import BATCH

ARCHITECTURE: Final = "johnson"
BUDGET = 64 * 2**30
"""Bytes: queues and batches are to be those of a machine with room."""
PIPELINE = """version: 1
stages:
  - use: decode/pyav
  - use: {flow}
    scale: 0.5
{options}  - use: stylize/feedforward
    style: {style}
    backend: torch
  - use: blend/warped
  - use: encode/pyav
    codec: ffv1
    crf: null
    preset: null
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="1920x1080", help="width x height")
    parser.add_argument("--frames", type=int, default=96, help="of each measurement")
    parser.add_argument("--width", type=int, default=32, help="the network's channels")
    parser.add_argument("--side", type=int, default=8192, help="of the matrix product's factors")
    parser.add_argument("--weights", type=Path, help="RAFT-small's")
    parser.add_argument("--device", default="cuda")
    given = parser.parse_args(arguments)
    try:
        device = resolve_device(given.device, needs_torch=True)
    except DeviceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    width, height = map(int, given.size.split("x"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        style = random_style(folder, given.width)
        print(torch.cuda.get_device_name(device) if device != "cpu" else "processor")
        report_stylizer(style, given, device, width, height)
        write_clip(folder / "clip.mp4", given.frames, width, height)
        for flow, options in flows(given.weights).items():
            rate = pipeline_rate(folder, flow, options, style, device)
            print(f"pipeline without encoder, {flow} at half size: {rate:.1f} frames/s", flush=True)
    return 0


def random_style(folder: Path, width: int) -> Path:
    network = empty_network(ARCHITECTURE, width)
    network.initialize(torch.Generator().manual_seed(0))
    path = folder / "random.safetensors"
    save_style(path, StyleInfo("random", Credit(), ARCHITECTURE, width), network)
    return path


def report_stylizer(
    style: Path, given: argparse.Namespace, device: str, width: int, height: int
) -> None:
    precision: Precision = "float32" if device == "cpu" else "float16"
    stylizer = TorchStylizer({"": style}, precision=precision, device=device, compiled=False)
    images = torch.rand(BATCH, 3, height, width, device=device)
    # The first runs layer by layer, the second captured.
    seconds = lasts(lambda: stylizer.stylize(images, {"": 1.0}), device, given.frames // BATCH, 3)
    rate, work = BATCH / seconds, flops(given.width, height, width)
    limit = matrix_rate(given.side, getattr(torch, precision), device)
    print(
        f"stylizer alone, {width}x{height}, {ARCHITECTURE}-{given.width} in {precision}:"
        f" {rate:.1f} frames/s, {work / 1e9:.0f} GFLOP a frame: {rate * work / 1e12:.2f} TFLOP/s,"
        f" {100 * rate * work / limit:.0f} % of a matrix product's {limit / 1e12:.2f}",
        flush=True,
    )


def flops(channels: int, height: int, width: int) -> float:
    """Additions and multiplications that the network takes for an image; nothing is computed."""
    with torch.device("meta"):
        network = empty_network(ARCHITECTURE, channels).to("meta")
        image = torch.empty(1, 3, height, width)
    with FlopCounterMode(display=False) as counter:
        network(image)
    return float(counter.get_total_flops())


def matrix_rate(side: int, kind: torch.dtype, device: str) -> float:
    """Additions and multiplications a second of a product of two square matrices."""
    first, second = (torch.rand(side, side, device=device, dtype=kind) for _ in range(2))
    return 2.0 * side**3 / lasts(lambda: first @ second, device, 20, 3)


def lasts(action: Callable[[], object], device: str, repeats: int, warm: int) -> float:
    """Seconds of a call, the device's work included, after some that do not count."""
    for _ in range(warm):
        action()
    finish(device)
    started = time.perf_counter()
    for _ in range(max(1, repeats)):
        action()
    finish(device)
    return (time.perf_counter() - started) / max(1, repeats)


def finish(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)


def flows(weights: Path | None) -> dict[str, str]:
    """The stages of optical flow to measure, with their further lines of YAML."""
    found = {"flow/dis": ""}
    try:
        found["flow/raft"] = f"    weights: {weights or find_raft('small', offline=True)}\n"
    except WeightsError as error:
        print(f"without flow/raft: {error}", file=sys.stderr)
    return found


def pipeline_rate(folder: Path, flow: str, options: str, style: Path, device: str) -> float:
    """Frames a second from the file to blended images on the host.

    The clock starts at the first frame: weights are loaded, and kernels chosen.
    """
    path = folder / "pipeline.yaml"
    path.write_text(PIPELINE.format(flow=flow, options=options, style=style))
    loaded = load_pipeline(path, registry=Registry(()))
    job = Job(loaded, folder / "clip.mp4", folder / "none.mkv", device=device, budget=BUDGET)
    with ExitStack() as stack:
        assembly, plan = stack.enter_context(prepared(job))
        nodes = []
        for entry, planned, stage in zip(
            assembly.entries, plan.stages, assembly.stages, strict=True
        ):
            stack.callback(stage.close)
            stage.open(plan.source.clip, planned.context)
            nodes.append(make_node(planned, stage, entry))
        frames = FrameReader(assembly.source, plan).run()
        times = []
        for frame in run_threaded(frames, [node.run for node in nodes], plan.queue):
            frame.host("image")
            times.append(time.perf_counter())
    # The first quarter fills the queues.
    skipped = len(times) // 4
    return (len(times) - 1 - skipped) / (times[-1] - times[skipped])


if __name__ == "__main__":
    sys.exit(main())
