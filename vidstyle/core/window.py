"""What a stage sees in one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from vidstyle.core.frame import Frame
from vidstyle.core.options import StageOptions

OptionsT = TypeVar("OptionsT", bound=StageOptions)


@dataclass(frozen=True, slots=True)
class Window(Generic[OptionsT]):
    """The current frame and its neighbors within the shot, with the declared layers only."""

    now: Frame
    options: OptionsT
    """The options as they are at this frame: keyframed ones have their value of now."""
    behind: tuple[Frame, ...] = ()
    """Earlier frames, nearest first; shorter at the start of a shot."""
    ahead: tuple[Frame, ...] = ()
    """Later frames, nearest first; shorter at the end of a shot."""
