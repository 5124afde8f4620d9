"""Clips made of nothing, whose motion, occlusion and cuts are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate, cycle, islice

import numpy as np

from vidstyle.core import Clip, Frame, HostArray
from vidstyle.testing.scene import Scene, Surface, moves, similarity
from vidstyle.testing.textures import Disc, make_waves

_TIME_BASE = Fraction(1, 12800)
_CONSTANT = (512,)
_VARIABLE = (512, 256, 1024, 640)
# Ticks of the time base: 25 frames a second, and a rate that varies.
# Clips cannot be changed, and many checks ask for the same one.
_clip_cache = lru_cache(maxsize=32)


@dataclass(frozen=True, slots=True)
class SyntheticClip:
    """Frames and the truth about them, on the conventions of ``vidstyle.core.layers``."""

    clip: Clip
    frames: tuple[Frame, ...]
    """With ``source`` and ``image`` (the same read-only array) and their ``shot``."""
    true_flow: tuple[HostArray, ...]
    """(H, W, 2) for each frame; 0 on the first frame of a shot."""
    true_visible: tuple[HostArray, ...]
    """(H, W) for each frame, 0 or 1; 0 on the first frame of a shot.

    1 means that all pixels around the flow's target, up to four, show the same surface, so
    that interpolating between them is legitimate.
    """
    cuts: tuple[int, ...] = ()
    """Indices at which a new shot begins, the first frame left out."""

    def with_truth(self) -> tuple[Frame, ...]:
        """The frames with the layers ``flow`` and ``visible`` added."""
        return tuple(
            replace(frame, layers={**frame.layers, "flow": flow, "visible": visible})
            for frame, flow, visible in zip(
                self.frames, self.true_flow, self.true_visible, strict=True
            )
        )


@_clip_cache
def pan(
    *,
    frames: int = 12,
    width: int = 160,
    height: int = 128,
    step: tuple[float, float] = (1.25, -0.5),
    seed: int = 0,
    variable: bool = False,
) -> SyntheticClip:
    """Make a clip of an image that moves at a constant speed; flow is ``-step``.

    Args:
        frames: How many.
        width: In pixels.
        height: In pixels.
        step: Right and down, in pixels a frame.
        seed: Of the image.
        variable: Whether frames have unequal durations.

    Returns:
        The clip, with exact flow and visibility.
    """
    scene = Scene((_pan(frames, step, seed),), width, height)
    return render_scenes([scene], durations=_VARIABLE if variable else _CONSTANT)


@_clip_cache
def zoom(
    *, frames: int = 12, width: int = 160, height: int = 128, factor: float = 1.02, seed: int = 1
) -> SyntheticClip:
    """Make a clip of an image that grows about its center c.

    Flow at x is (x - c) (1 / factor - 1).

    Args:
        frames: How many.
        width: In pixels.
        height: In pixels.
        factor: Of its size, a frame.
        seed: Of the image.

    Returns:
        The clip, with exact flow and visibility.
    """
    center = ((width - 1) / 2, (height - 1) / 2)
    poses = tuple(similarity(factor**time, 0, center, center) for time in range(frames))
    return render_scenes([Scene((Surface(make_waves(seed), poses),), width, height)])


@_clip_cache
def occluder(
    *,
    frames: int = 12,
    width: int = 160,
    height: int = 128,
    background_step: tuple[float, float] = (-0.75, 0.25),
    foreground_step: tuple[float, float] = (3.0, 0.5),
    seed: int = 2,
) -> SyntheticClip:
    """Make a clip of an ellipse that moves over a moving background.

    Args:
        frames: How many.
        width: In pixels.
        height: In pixels.
        background_step: Right and down, in pixels a frame.
        foreground_step: Right and down, in pixels a frame.
        seed: Of the images.

    Returns:
        The clip, with exact flow and visibility.
    """
    radii = (0.2 * width, 0.25 * height)
    disc = Disc(make_waves(seed + 1, tone=0.6), (0.3 * width, 0.5 * height), radii)
    places = [(foreground_step[0] * time, foreground_step[1] * time) for time in range(frames)]
    behind = _pan(frames, background_step, seed, tone=0.4)
    return render_scenes([Scene((behind, Surface(disc, moves(places))), width, height)])


@_clip_cache
def still(
    *,
    frames: int = 12,
    width: int = 160,
    height: int = 128,
    deviation: float = 2 / 255,
    seed: int = 3,
) -> SyntheticClip:
    """Make a clip of an image that does not move, under Gaussian noise.

    Args:
        frames: How many.
        width: In pixels.
        height: In pixels.
        deviation: Standard deviation of the noise.
        seed: Of image and noise.

    Returns:
        The clip, with exact flow and visibility.
    """
    stable = render_scenes([Scene((_pan(frames, (0, 0), seed),), width, height)])
    random = np.random.default_rng(seed)

    def noisy(frame: Frame) -> Frame:
        noise = random.normal(0, deviation, (height, width, 3))
        return _frame_like(frame, np.clip(frame.host("source") + noise, 0, 1).astype(np.float32))

    return replace(stable, frames=tuple(noisy(frame) for frame in stable.frames))


@_clip_cache
def hard_cut(
    *, frames: int = 12, width: int = 160, height: int = 128, at: int = 6, seed: int = 4
) -> SyntheticClip:
    """Make a clip of two pans of different images.

    Args:
        frames: How many.
        width: In pixels.
        height: In pixels.
        at: The frame at which the second begins.
        seed: Of the images.

    Returns:
        The clip, with exact flow and visibility.

    Raises:
        ValueError: A shot would be empty.
    """
    if not 0 < at < frames:
        raise ValueError(f"a cut lies between 1 and {frames - 1}, got {at}")
    before = Scene((_pan(at, (1.25, -0.5), seed, tone=0.4),), width, height)
    after = Scene((_pan(frames - at, (-1.5, 0.75), seed + 1, tone=0.6),), width, height)
    return render_scenes([before, after])


def render_scenes(shots: Sequence[Scene], *, durations: Sequence[int] = _CONSTANT) -> SyntheticClip:
    """Make a clip of scenes of one size, one after the other, each a shot.

    Args:
        shots: The scenes.
        durations: Ticks of 1/12800 s, which repeat; unequal ones make a variable frame rate.

    Returns:
        The clip, with exact flow and visibility.
    """
    flow, visible, images, numbers = [], [], [], []
    for number, scene in enumerate(shots):
        for time in range(scene.frames):
            motion = scene.motion(time, time - 1) if time else _no_motion(scene)
            flow.append(_read_only(motion[0]))
            visible.append(_read_only(motion[1]))
            images.append(scene.image(time))
            numbers.append(number)
    constant = len(set(durations)) == 1
    clip = Clip(
        width=shots[0].width,
        height=shots[0].height,
        time_base=_TIME_BASE,
        frame_rate=1 / (durations[0] * _TIME_BASE) if constant else None,
        frame_count=len(images),
    )
    frames = _frames(images, numbers, durations)
    cuts = tuple(accumulate(scene.frames for scene in shots[:-1]))
    return SyntheticClip(clip, frames, tuple(flow), tuple(visible), cuts)


def _frames(
    images: Sequence[HostArray], shots: Sequence[int], durations: Sequence[int]
) -> tuple[Frame, ...]:
    ticks = list(islice(cycle(durations), len(images)))
    starts = accumulate(ticks, initial=0)
    return tuple(
        _frame_like(Frame(index, pts, duration, {}, shot), image)
        for index, (pts, duration, shot, image) in enumerate(
            zip(starts, ticks, shots, images, strict=False)
        )
    )


def _frame_like(frame: Frame, image: HostArray) -> Frame:
    image = _read_only(image)
    return replace(frame, layers={"source": image, "image": image})


def _pan(frames: int, step: tuple[float, float], seed: int, *, tone: float = 0.5) -> Surface:
    places = [(step[0] * time, step[1] * time) for time in range(frames)]
    return Surface(make_waves(seed, tone=tone), moves(places))


def _no_motion(scene: Scene) -> tuple[HostArray, HostArray]:
    shape = (scene.height, scene.width)
    return np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32)


def _read_only(array: HostArray) -> HostArray:
    array.flags.writeable = False
    return array
