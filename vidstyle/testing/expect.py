"""What the checks share: a run, a comparison, and a failure in words.

``assert`` would vanish under ``python -O``, and with it the whole suite.
"""

from __future__ import annotations

from collections.abc import Sequence

from vidstyle.core import Frame
from vidstyle.testing.inputs import Input
from vidstyle.testing.subject import Subject, hash_layers


def expect(holds: object, otherwise: str) -> None:
    """Raise an error where something does not hold.

    Args:
        holds: True or false.
        otherwise: What the error says.

    Raises:
        AssertionError: It does not hold.
    """
    if not holds:
        raise AssertionError(otherwise)


def expect_equal(got: Sequence[Frame], wanted: Sequence[Frame], what: str) -> None:
    """Compare two runs, hash for hash.

    Args:
        got: Frames of one run.
        wanted: Frames of the other.
        what: Names the first run in the error.

    Raises:
        AssertionError: They differ; the message names frame and layers.
    """
    expect(places(got) == places(wanted), f"{what} has other frames")
    for frame, one, other in zip(got, hash_layers(got), hash_layers(wanted), strict=True):
        differ = sorted(name for name in other if one.get(name) != other[name])
        expect(not differ, f"{what} differs at frame {frame.index} in {', '.join(differ)}")


def run_stage(subject: Subject, given: Input, *, device: str = "cpu") -> list[Frame]:
    """Send all frames through a stage that is opened for it.

    Args:
        subject: The stage.
        given: Clip and frames.
        device: As torch names it.

    Returns:
        What comes out.
    """
    with subject.opened(given.clip, device=device) as running:
        return running.run(given.frames)


def places(frames: Sequence[Frame]) -> list[tuple[int, int, int, int]]:
    """Give the place of each frame.

    Args:
        frames: Of a clip.

    Returns:
        Index, pts, duration and shot of each.
    """
    return [(f.index, f.pts, f.duration, f.shot) for f in frames]
