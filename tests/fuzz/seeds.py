"""What is damaged: the smallest files of every kind that vidstyle reads, all made here."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import av
import cv2
import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel

from tests.fuzz.confined import confined
from tests.models.original_networks import original_weights, with_statistics
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.style_file import Credit, StyleInfo, save_style
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.checkpoints import PauseRule
from vidstyle.runner.execution.computation import compute_in_turn
from vidstyle.runner.execution.events import Event, FrameDone
from vidstyle.runner.execution.execute import execute
from vidstyle.runner.job import Job, prepared, run
from vidstyle.runner.storage.destination import Destination

Files = Mapping[str, bytes]
"""By name."""
Pixels: TypeAlias = npt.NDArray[Any]
Packets = list[tuple[int | None, int | None, int | None, bytes]]
"""Time, decoding time, duration and content."""

PIPELINES = Path(__file__).parents[2] / "pipelines"
SIZE = WIDTH, HEIGHT = 48, 32
OUTPUT = "out.mkv"
RARELY, ALWAYS = PauseRule(), PauseRule(every=0, slow=0)
RECURRENT = """\
version: 1
chunk: {least: 4, most: 6}
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
  - use: blend/warped
    strength: {at: {0s: 0.2, 1s: 0.9}}
  - use: encode/pyav
    codec: ffv1
"""
_FRAMES, _LONG = 6, 24
_CODECS = {
    "h264.mp4": ("libx264", "yuv420p", "aac"),
    "h264.mkv": ("libx264", "yuv420p", "ac3"),
    "vp9.webm": ("libvpx-vp9", "yuv420p", "libopus"),
    "ffv1.mkv": ("ffv1", "yuv420p10le", "pcm_s16le"),
    "h264.mov": ("libx264", "yuv422p", "pcm_s16le"),
    "plain.gif": ("gif", "rgb8", None),
}


class Carrier:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("pwned",)


@dataclass(frozen=True, slots=True)
class LongRuns:
    """Of ``RECURRENT`` on one clip."""

    clip: bytes
    """Matroska."""
    whole: Packets
    """Of the output of the run that was left alone."""
    stopped: tuple[Files, ...]
    """What killed ones left in the folder of their output."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """Sound files, by name."""

    clips: Files
    images: Files
    """Four, all of one size."""
    pipelines: Mapping[str, str]
    options: tuple[str, ...]
    """All that the stages of ``RECURRENT`` take, such as ``blend.strength``."""
    style: bytes
    networks: Files
    """As other projects save them."""
    masks: Files
    runs: LongRuns


def make_seeds() -> Seeds:
    """The same ones every time, but for what a store says of the version of the code."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        clips = {name: _clip(folder / name, *_CODECS[name]) for name in _CODECS}
        style = _style(folder / "wave.safetensors")
        (folder / "p.yaml").write_text(RECURRENT)
        stages = load_pipeline(folder / "p.yaml", registry=Registry([])).stages
    return Seeds(
        clips=clips,
        images=_images(),
        pipelines=_pipelines(),
        options=tuple(f"{stage.kind}.{key}" for stage in stages for key in _keys(stage.options)),
        style=style,
        networks=_networks(),
        masks=_masks(clips),
        runs=_long_runs(),
    )


def _keys(options: BaseModel) -> Iterable[str]:
    return type(options).model_fields


def packets(path: Path) -> Packets:
    """All of the video. Raises FFmpegError where it is none."""
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.dts, packet.duration, bytes(packet))
            for packet in container.demux(video=0)
            if packet.size
        ]


def image(index: int) -> Pixels:
    """(HEIGHT, WIDTH, 3), 8 bits: a texture that moves by a pixel a frame."""
    texture = np.random.default_rng(0).integers(0, 255, (HEIGHT // 4, WIDTH // 2, 3), np.uint8)
    large = cv2.resize(texture, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(large[:, index : index + WIDTH])


def _clip(path: Path, codec: str, pixels: str, audio: str | None, frames: int = _FRAMES) -> bytes:
    options = {"fflags": "+bitexact"}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=25, width=WIDTH, height=HEIGHT)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = pixels
        stream.codec_context.thread_count = 1
        sound = container.add_stream(audio, rate=48_000, layout="mono") if audio else None
        container.metadata["title"] = "A clip"
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(image(index), "rgb24").reformat(format=pixels)
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if isinstance(sound, av.AudioStream):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
            silence.sample_rate = 48_000
            container.mux(sound.encode(silence))
            container.mux(sound.encode(None))
    return path.read_bytes()


def _images() -> Files:
    colors = [image(index) for index in range(4)]
    opaque = np.full((HEIGHT, WIDTH, 1), 200, np.uint8)
    return {
        "1.png": _coded(".png", colors[0]),
        "2.jpg": _coded(".jpg", colors[1]),
        "3.png": _coded(".png", colors[2].astype(np.uint16) << 8),
        "4.png": _coded(".png", np.concatenate([colors[3], opaque], axis=2)),
    }


def _masks(clips: Files) -> Files:
    return {
        "mask.png": _coded(".png", image(0)[..., 0]),
        "mask.jpg": _coded(".jpg", image(0)[..., 0]),
        "mask.mp4": clips["h264.mp4"],
        "mask.webm": clips["vp9.webm"],
    }


def _coded(suffix: str, pixels: Pixels) -> bytes:
    done, data = cv2.imencode(suffix, pixels)
    assert done
    return data.tobytes()


def _pipelines() -> Mapping[str, str]:
    shipped = {path.name: path.read_text() for path in sorted(PIPELINES.glob("*.yaml"))}
    # There are no weights here, and none are to be downloaded.
    quality = shipped["temporal-quality.yaml"]
    shipped["temporal-quality.yaml"] = quality.replace("model: small", "offline: true")
    return {
        **shipped,
        "recurrent.yaml": RECURRENT,
        "based.yaml": "version: 1\nextends: base.yaml\nset: {encode.codec: libx264}\nqueue: 2\n",
        "masked.yaml": RECURRENT.replace("stages:", "inputs: {mask: in.mkv}\nstages:"),
        "images.yaml": RECURRENT.replace("encode/pyav\n    codec: ffv1", "encode/images"),
    }


def _style(path: Path) -> bytes:
    network = empty_network("fast", 2)
    network.initialize(torch.Generator().manual_seed(0))
    save_style(path, StyleInfo("wave", Credit("Wave"), "fast", 2, {"crop": 32}), network)
    return path.read_bytes()


def _networks() -> Files:
    weights = original_weights()
    wrapped = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in weights.items()}}
    return {
        "plain.pth": _saved(weights),
        "old.pth": _saved(with_statistics(weights), old=True),
        "wrapped.model": _saved(wrapped),
        "code.pth": _saved({**weights, "extra": Carrier()}),
        "code-old.pth": _saved({**weights, "extra": Carrier()}, old=True),
    }


def _saved(content: object, *, old: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


def _long_runs() -> LongRuns:
    """Of ``RECURRENT`` on a clip of some chunks; all but one are killed."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        clip = _clip(folder / "in.mkv", *_CODECS["h264.mkv"], frames=_LONG)
        (folder / "p.yaml").write_text(RECURRENT)
        whole = _output_of(folder / "whole", run)
        lives = {
            "early": _killed_after(_LONG // 2),
            "late": _killed_after(_LONG - 1),
            "paused": _killed_after(_LONG - 2, rule=ALWAYS),
            "unnamed": _killed_before_the_rename,
        }
        stopped = [_output_of(folder / name, life) for name, life in lives.items()]
        files = tuple(
            {str(f.relative_to(out)): f.read_bytes() for f in out.rglob("*") if f.is_file()}
            for out in stopped
        )
        return LongRuns(clip, packets(whole / OUTPUT), files)


def _output_of(folder: Path, life: Callable[[Job], object]) -> Path:
    """The folder with all that the run left there; it lies beside pipeline and clip."""
    folder.mkdir()
    pipeline = load_pipeline(folder.parent / "p.yaml", registry=Registry([]))
    job = Job(pipeline, folder.parent / "in.mkv", folder / OUTPUT)

    def live() -> int:
        life(job)
        return 0

    ended = confined(live, folder)
    if ended.code != 0:
        raise RuntimeError(f"a run that is to be damaged failed: {ended.signal} {ended.err}")
    return folder


def _killed_after(frames: int, *, rule: PauseRule = RARELY) -> Callable[[Job], object]:
    seen = 0

    def listen(event: Event) -> None:
        nonlocal seen
        seen += isinstance(event, FrameDone)
        if seen == frames:
            os._exit(0)

    def life(job: Job) -> None:
        with prepared(job) as (assembly, plan):
            execute(
                assembly,
                plan,
                Destination(job.output),
                original=job.input,
                compute=compute_in_turn("serial"),
                listen=listen,
                rule=rule,
            )

    return life


def _killed_before_the_rename(job: Job) -> None:
    setattr(Destination, "commit", lambda _: os._exit(0))  # noqa: B010  # mypy forbids to assign
    run(job)
