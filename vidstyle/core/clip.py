"""What is known of a clip without its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Matrix = Literal["bt601", "bt709", "bt2020", "rgb", "smpte240m", "fcc"]
Range = Literal["limited", "full"]


@dataclass(frozen=True, slots=True)
class Mastering:
    """The display on which an HDR clip was graded (SMPTE ST 2086)."""

    primaries: tuple[tuple[Fraction, Fraction], ...]
    """x and y (CIE 1931) of red, green, blue and white."""
    darkest: Fraction
    """Luminance of its black, in cd/m²."""
    brightest: Fraction
    """Luminance of its white, in cd/m²."""


@dataclass(frozen=True, slots=True)
class LightLevels:
    """How bright an HDR clip becomes, in cd/m² (CTA-861.3)."""

    content: int
    """Its brightest sample (MaxCLL)."""
    frame_average: int
    """The average of its brightest frame (MaxFALL)."""


@dataclass(frozen=True, slots=True)
class Color:
    """How the samples in the file stand for colors. Layers are always full-range RGB."""

    matrix: Matrix = "bt709"
    """Matrix between RGB and the file's luma and chroma; ``rgb`` where there is none."""
    range: Range = "limited"
    """Whether black and white are 16 and 235 (of 255) or 0 and 255."""
    primaries: int = 2
    """Code point of ITU-T H.273; 2 is unspecified."""
    transfer: int = 2
    """Code point of ITU-T H.273; 2 is unspecified."""
    tagged: bool = True
    """False where the file did not say and the matrix is a guess."""
    mastering: Mastering | None = None
    """HDR10 metadata; None where the file has none."""
    light_levels: LightLevels | None = None
    """HDR10 metadata; None where the file has none."""


@dataclass(frozen=True, slots=True)
class OtherStream:
    """A stream of the file that is not the video being worked on."""

    index: int
    kind: Literal["audio", "subtitle", "video", "data", "attachment"]
    codec: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was guessed, repaired or dropped, and that a user should know."""

    kind: str
    """A stable word, such as ``damage`` or ``color-guessed``."""
    text: str
    """One line for a person."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Geometry, time and color of the frames that pass a point of the pipeline."""

    width: int
    height: int
    time_base: Fraction
    """Seconds a tick of pts and duration."""
    frame_rate: Fraction | None = None
    """Frames a second, exact; None where it varies or is unknown."""
    color: Color = field(default_factory=Color)
    bit_depth: int = 8
    """Bits a sample in the file; layers are float32 whatever it is."""
    sample_aspect: Fraction = Fraction(1)
    """Width of a sample divided by its height."""
    frame_count: int | None = None
    """How many frames there will be, where the container says so; an estimate for display."""
    alpha: bool = False
    """Whether frames carry an ``alpha`` layer."""
    streams: tuple[OtherStream, ...] = ()
    notes: tuple[Note, ...] = ()
    """What opening the clip found out."""
    full_size: tuple[int, int] | None = None
    """Width and height that ``geometry/restore`` gives back; None where frames have theirs."""

    @property
    def reduction(self) -> float:
        """How many pixels of the full width a pixel stands for."""
        return 1.0 if self.full_size is None else self.full_size[0] / self.width

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a clip is at least 1x1, got {self.width}x{self.height}")
        if self.time_base <= 0:
            raise ValueError(f"a time base is positive, got {self.time_base}")
        if self.sample_aspect <= 0:
            raise ValueError(f"a sample aspect is positive, got {self.sample_aspect}")
