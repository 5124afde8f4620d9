"""What the checks share: a run, a comparison, and a failure in words.

``assert`` would vanish under ``python -O``, and with it the whole suite.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vidstyle.core import HostArray
from vidstyle.runner.execution.parcel import Parcel
from vidstyle.testing.inputs import Input
from vidstyle.testing.subject import Subject, digests


def expect(holds: object, otherwise: str) -> None:
    """Raise AssertionError with these words where it does not hold."""
    if not holds:
        raise AssertionError(otherwise)


def expect_equal(got: Sequence[Parcel], wanted: Sequence[Parcel], what: str) -> None:
    """Raise AssertionError naming ``what``, frame and layers where two runs differ."""
    expect(places(got) == places(wanted), f"{what} has other frames")
    for parcel, one, other in zip(got, digests(got), digests(wanted), strict=True):
        differ = sorted(name for name in other if one.get(name) != other[name])
        expect(not differ, f"{what} differs at frame {parcel.index} in {', '.join(differ)}")


def run(subject: Subject, given: Input, *, device: str = "cpu") -> list[Parcel]:
    """All frames through a stage that is opened for it."""
    with subject.opened(given.clip, device=device) as running:
        return running.run(given.parcels)


def places(parcels: Sequence[Parcel]) -> list[tuple[int, int, int, int]]:
    """Index, pts, duration and shot of each."""
    return [(p.index, p.pts, p.duration, p.shot) for p in parcels]


def host(parcel: Parcel, name: str) -> HostArray:
    """The layer as numpy sees it."""
    layer = parcel.cells[name].at("host", "cpu")
    if not isinstance(layer, np.ndarray):
        raise TypeError(f"layer {name} is a {type(layer).__name__}")
    return layer
