"""Frames for the check suite, with every layer that a stage says it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vidstyle.core import Clip, Frame, HostArray
from vidstyle.core.layers import CUT, reduced_layer
from vidstyle.testing.clips import SyntheticClip, render_scenes
from vidstyle.testing.scene import Scene, Surface, moves
from vidstyle.testing.subject import Subject
from vidstyle.testing.textures import make_waves

# How images move in the shots, in turn.
_STEPS = ((1.25, -0.5), (-1.5, 0.75), (0.5, 2.0))


@dataclass(frozen=True, slots=True)
class Input:
    """A clip and its frames as a stage meets them."""

    clip: Clip
    frames: tuple[Frame, ...]
    """Their arrays are read-only."""

    def shot(self, number: int) -> Input:
        """Give one shot alone.

        Args:
            number: Of the shot.

        Returns:
            The same clip, with the shot's frames.
        """
        return replace(self, frames=tuple(f for f in self.frames if f.shot == number))


def make_input(
    subject: Subject,
    *,
    size: tuple[int, int] = (64, 48),
    shots: Sequence[int] = (5, 3),
    optional: bool = True,
) -> Input:
    """Make panning images in shots, with the layers that a stage reads.

    A stage that finds shots meets one endless shot.

    Args:
        subject: The stage.
        size: Width and height, in pixels.
        shots: Frames of each.
        optional: Whether the layers are there that the stage can do without.

    Returns:
        Clip and frames.
    """
    needs = subject.make().needs
    synthetic, truth = _filmed(size, tuple(shots))
    reads = {name for name, reach in needs.reads.items() if optional or not reach.optional}
    names = sorted({"source", "image"} | reads)
    clip = replace(synthetic.clip, alpha="alpha" in reads)
    frames = []
    for frame in synthetic.frames:
        layers = {name: _layer(name, frame, truth[frame.index], subject) for name in names}
        shot = 0 if CUT in needs.writes else frame.shot
        frames.append(replace(frame, layers=layers, shot=shot, time=frame.pts * clip.time_base))
    return Input(clip, tuple(frames))


@lru_cache(maxsize=16)
def _filmed(
    size: tuple[int, int], shots: tuple[int, ...]
) -> tuple[SyntheticClip, list[dict[str, HostArray]]]:
    """Frames and the truth about them; kept, so nobody may be given these very arrays."""
    scenes = [_scene(number, frames, size) for number, frames in enumerate(shots)]
    return render_scenes(scenes), _truth(scenes)


def _scene(number: int, frames: int, size: tuple[int, int]) -> Scene:
    right, down = _STEPS[number % len(_STEPS)]
    poses = moves([(right * time, down * time) for time in range(frames)])
    return Scene((Surface(make_waves(number), poses),), *size)


def _truth(scenes: Sequence[Scene]) -> list[dict[str, HostArray]]:
    """Flow and visibility in both directions, and cuts, frame by frame."""
    truth = []
    for number, scene in enumerate(scenes):
        for time in range(scene.frames):
            # On the first frame of a shot there is no previous one, and all is 0.
            back, seen = scene.motion(time, time - 1) if time else scene.motion(0, 0)
            ahead, seen_ahead = scene.motion(time - 1, time) if time else scene.motion(0, 0)
            there = np.float32(time > 0)
            truth.append(
                {
                    "flow": back * there,
                    "visible": seen * there,
                    "flow_from_previous": ahead * there,
                    "visible_from_previous": seen_ahead * there,
                    CUT: np.array(number > 0 and time == 0, np.float32),
                }
            )
    return truth


def _layer(name: str, frame: Frame, truth: dict[str, HostArray], subject: Subject) -> HostArray:
    """A layer of one frame; where nothing is known of it, a ramp that moves with time."""
    source = frame.host("source")
    # Nothing has reduced the frames.
    name = reduced_layer(name) or name
    if name == "source":
        return source.copy()
    if name == "image":
        # Not the source, so that a stage that confuses the two shows.
        return source[..., ::-1].copy()
    if name in truth:
        return truth[name].copy()
    if name in subject.layers:
        return np.array(subject.layers[name](frame), np.float32)
    height, width = source.shape[:2]
    ramp = (np.arange(width, dtype=np.float32) + frame.index) / (width + frame.index)
    return np.tile(ramp, (height, 1))
