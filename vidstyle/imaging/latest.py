"""What was made of the newest images, kept for who asks again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from vidstyle.core.layers import HostArray

MadeT = TypeVar("MadeT")


class Latest(Generic[MadeT]):
    """A function of one image that remembers its last two results, by the array it was given.

    A stage sees each frame twice or more: as its neighbor's neighbor and as its own. Nothing
    may write to such an image, nor to the result. One thread may use it at a time, and asks in
    the order of frames. The image itself is not kept alive.
    """

    def __init__(self, make: Callable[[HostArray], MadeT]) -> None:
        self._make = make
        self._made: tuple[tuple[weakref.ref[HostArray], MadeT], ...] = ()

    def __call__(self, image: HostArray) -> MadeT:
        for seen, made in self._made:
            if seen() is image:
                return made
        made = self._make(image)
        self._made = (*self._made[-1:], (weakref.ref(image), made))
        return made
