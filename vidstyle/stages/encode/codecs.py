"""The codecs: what each can store, its quality scale, and its options of FFmpeg."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

import cv2

from vidstyle.core import Clip, Color
from vidstyle.core.planes import Siting
from vidstyle.media.from_rgb import LAYOUTS
from vidstyle.media.hdr10 import HDR10Words

CodecName = Literal["libx264", "libx265", "libsvtav1", "libvpx-vp9", "prores_ks", "ffv1", "gif"]
PixelFormat = Literal[
    "auto",
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv422p10le",
    "yuv444p10le",
    "bgr0",
    "gbrp",
    "gbrp10le",
    "gbrp12le",
    "gbrp16le",
]
PresetName = Literal[
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
]
Preset: TypeAlias = PresetName | int
Extra: TypeAlias = Callable[[int, str], dict[str, str]]

_NAMED: Final[tuple[Preset, ...]] = get_args(PresetName)


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """One encoder of FFmpeg with what the options may ask of it."""

    name: CodecName
    suffixes: tuple[str, ...]
    """Of the containers that hold it, the default first."""
    auto: tuple[tuple[int, PixelFormat], ...]
    """Up to so many bits a sample, this format."""
    formats: tuple[PixelFormat, ...]
    """All that may be asked for."""
    alpha: Mapping[str, str] = field(default_factory=dict)
    """The format with opacity for one without."""
    crf: tuple[int, int, int] | None = None
    """Lowest, highest and default."""
    presets: tuple[Preset, ...] = ()
    default_preset: Preset | None = None
    preset_key: str = "preset"
    extra: Extra = field(default=lambda threads, pixel_format: {})
    """Further options of FFmpeg, for a number of threads and FFmpeg's name of the format."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that its library reads when first opened, unless they are set."""
    whole_chroma: bool = False
    """True where a subsampled frame must have even sides."""
    siting: Siting = "center"
    """Where its decoders take chroma to lie: for H.264 and H.265 left, unless the file says."""
    buffered: Mapping[Preset | None, int] = field(default_factory=lambda: {None: 0})
    """Bytes that it buffers for each pixel of 8 bits in 4:2:0, by preset; None for all others."""
    reorders: bool = False
    """Whether packets leave the encoder in another order than frames enter it."""
    threaded_bits: int = 16
    """Up to so many bits a sample, its threads give the same packets every time."""
    highest_rate: int | None = None
    """The largest nominal frame rate it takes."""
    tag: Mapping[str, str] = field(default_factory=dict)
    """The codec tag to write, by suffix, where FFmpeg's own is not the best known one."""
    stores_aspect: bool = False
    """Whether the coded video itself says how wide a sample is."""
    live: Mapping[str, str] = field(default_factory=dict)
    """Options with which each frame leaves the encoder before the next one enters it."""
    hdr10: HDR10Words | None = None
    """How it takes HDR10 metadata; None where the coded video cannot have it."""

    def check_crf(self, crf: int | None) -> None:
        """Raise ValueError where the codec has no such quality."""
        if crf is None:
            return
        if self.crf is None:
            raise ValueError(f"{self.name} has no crf; leave it out")
        lowest, highest, _ = self.crf
        if not lowest <= crf <= highest:
            raise ValueError(f"crf of {self.name} is {lowest} to {highest}, got {crf}")

    def check_preset(self, preset: Preset | None) -> None:
        """Raise ValueError where the codec has no such preset."""
        if preset is None or preset in self.presets:
            return
        if not self.presets:
            raise ValueError(f"{self.name} has no presets; leave it out")
        known = ", ".join(str(name) for name in self.presets)
        raise ValueError(f"{self.name} has no preset {preset}; it has: {known}")

    def check_pixel_format(self, pixel_format: PixelFormat) -> None:
        """Raise ValueError where the codec cannot store it."""
        if pixel_format != "auto" and pixel_format not in self.formats:
            known = ", ".join(("auto", *self.formats))
            raise ValueError(f"{self.name} has no pixel format {pixel_format}; it has: {known}")

    def check_alpha(self, pixel_format: PixelFormat) -> None:
        """Raise ValueError where opacity cannot be stored beside that format."""
        if not self.alpha:
            able = ", ".join(codec.name for codec in CODECS.values() if codec.alpha)
            raise ValueError(f"{self.name} stores no alpha; these do: {able}")
        if pixel_format != "auto" and pixel_format not in self.alpha:
            able = ", ".join(self.alpha)
            raise ValueError(f"{self.name} stores no alpha beside {pixel_format}, but: {able}")

    def base_format(self, wanted: PixelFormat, clip: Clip, *, alpha: bool) -> PixelFormat:
        """The format for a clip without opacity; with ``alpha`` one that has a form with it."""
        if wanted != "auto":
            return wanted
        fitting = (name for bits, name in self.auto if bits >= clip.bit_depth)
        chosen = next(fitting, self.auto[-1][1])
        if alpha and self.alpha and chosen not in self.alpha:
            chosen = next(name for name in self.formats if name in self.alpha)
        return chosen

    def pixel_format(self, wanted: PixelFormat, clip: Clip, *, alpha: bool) -> str:
        """FFmpeg's name of the format for a clip; with ``alpha`` its form with opacity, if any."""
        chosen = self.base_format(wanted, clip, alpha=alpha)
        return self.alpha.get(chosen, chosen) if alpha else chosen

    @property
    def most_bits(self) -> int:
        """Bits a sample of the deepest format that is chosen without being asked for."""
        return max(LAYOUTS[name].bits for _, name in self.auto)

    @property
    def default_crf(self) -> int | None:
        """Quality where the options name none; None where the codec has no such scale."""
        return None if self.crf is None else self.crf[2]

    def memory(self, preset: Preset | None, samples: float) -> int:
        """Bytes that the encoder buffers where a frame's samples are ``samples`` bytes."""
        chosen = self.default_preset if preset is None else preset
        return int(self.buffered.get(chosen, self.buffered[None]) * samples / 1.5)

    def options(
        self,
        crf: int | None,
        preset: Preset | None,
        threads: int,
        pixel_format: str,
        color: Color,
    ) -> dict[str, str]:
        """What FFmpeg's encoder is opened with."""
        options = self.extra(threads, pixel_format)
        if self.hdr10 is not None:
            options = self.hdr10.add_to(options, color)
        if self.crf is not None:
            options["crf"] = str(self.default_crf if crf is None else crf)
        chosen = self.default_preset if preset is None else preset
        if chosen is not None:
            options[self.preset_key] = str(chosen)
        return options

    def live_options(self, options: Mapping[str, str]) -> dict[str, str]:
        """The same options for who waits for each frame."""
        # Some are lists that others are in, too.
        added = {
            name: f"{options[name]}:{value}" if name in options and "=" in value else value
            for name, value in self.live.items()
        }
        return {**options, **added}


# OpenCV's number of it, which its Python bindings do not name.
_AVX_512F: Final = 13


def _x264(threads: int, pixel_format: str) -> dict[str, str]:
    """Options that keep packets from depending on uninitialized memory.

    x264's code for AVX-512 (core 165) gives other packets where its buffers are not zeroed; that
    for AVX2, which every processor with AVX-512 has too, gives those of plain C, and as fast.
    """
    return {"x264-params": "asm=avx2"} if cv2.checkHardwareSupport(_AVX_512F) else {}


def _x265(threads: int, pixel_format: str) -> dict[str, str]:
    # An open GOP would refer across the joins; the log goes to stderr past FFmpeg's.
    return {"x265-params": f"open-gop=0:log-level=none:pools={threads}:frame-threads=1"}


def _svtav1(threads: int, pixel_format: str) -> dict[str, str]:
    return {"svtav1-params": f"lp={threads}"}


def _vp9(threads: int, pixel_format: str) -> dict[str, str]:
    return {"row-mt": "1", "deadline": "good", "b": "0"}


def _ffv1(threads: int, pixel_format: str) -> dict[str, str]:
    # Version 3 with checksums; the number of slices would otherwise follow that of threads.
    return {"level": "3", "slices": "4", "slicecrc": "1", "g": "1"}


_YUV8: Final[tuple[PixelFormat, ...]] = ("yuv420p", "yuv422p", "yuv444p")
_YUV10: Final[tuple[PixelFormat, ...]] = ("yuv420p10le", "yuv422p10le", "yuv444p10le")
_RGB_ALPHA: Final = {
    "bgr0": "bgra",
    "gbrp10le": "gbrap10le",
    "gbrp12le": "gbrap12le",
    "gbrp16le": "gbrap16le",
}

# Measured at 1280x720 with 70 frames: mostly the frames of the look-ahead and their mip levels.
_X264_BUFFERED: Final[dict[Preset | None, int]] = {
    "ultrafast": 35,
    "superfast": 40,
    "veryfast": 100,
    "faster": 135,
    "fast": 170,
    "medium": 205,
    None: 290,
}

CODECS: Final[dict[CodecName, VideoCodec]] = {
    "libx264": VideoCodec(
        name="libx264",
        buffered=_X264_BUFFERED,
        suffixes=(".mp4", ".mkv", ".mov", ".m4v"),
        auto=((8, "yuv420p"), (10, "yuv420p10le")),
        formats=(*_YUV8, *_YUV10),
        crf=(0, 51, 18),
        presets=_NAMED,
        default_preset="medium",
        extra=_x264,
        live={"tune": "zerolatency"},
        hdr10=HDR10Words("x264-params", "mastering-display", "cll"),
        whole_chroma=True,
        siting="left",
        reorders=True,
        stores_aspect=True,
        # With mbtree, 10 bit on several threads is a race: two runs of one clip differ.
        threaded_bits=8,
    ),
    "libx265": VideoCodec(
        name="libx265",
        buffered={None: 260},
        suffixes=(".mp4", ".mkv", ".mov", ".m4v"),
        auto=((8, "yuv420p"), (10, "yuv420p10le")),
        formats=(*_YUV8, *_YUV10, "gbrp", "gbrp10le", "gbrp12le"),
        crf=(0, 51, 20),
        presets=_NAMED,
        default_preset="medium",
        extra=_x265,
        live={"tune": "zerolatency"},
        hdr10=HDR10Words("x265-params", "master-display", "max-cll"),
        whole_chroma=True,
        siting="left",
        reorders=True,
        stores_aspect=True,
        # Apple's players know hvc1 alone.
        tag={".mp4": "hvc1", ".mov": "hvc1", ".m4v": "hvc1"},
    ),
    "libsvtav1": VideoCodec(
        name="libsvtav1",
        buffered={None: 320},
        suffixes=(".mp4", ".mkv", ".webm"),
        auto=((8, "yuv420p"), (10, "yuv420p10le")),
        formats=("yuv420p", "yuv420p10le"),
        crf=(0, 63, 28),
        presets=tuple(range(14)),
        default_preset=8,
        extra=_svtav1,
        live={"svtav1-params": "pred-struct=1"},
        hdr10=HDR10Words("svtav1-params", "mastering-display", "content-light", in_units=False),
        # Its banner goes to stderr past every log.
        environment={"SVT_LOG": "1"},
        whole_chroma=True,
        highest_rate=240,
    ),
    "libvpx-vp9": VideoCodec(
        name="libvpx-vp9",
        buffered={None: 200},
        suffixes=(".webm", ".mkv"),
        auto=((8, "yuv420p"),),
        formats=(*_YUV8, "gbrp"),
        alpha={"yuv420p": "yuva420p"},
        crf=(0, 63, 28),
        presets=tuple(range(9)),
        default_preset=4,
        preset_key="cpu-used",
        extra=_vp9,
        live={"lag-in-frames": "0", "deadline": "realtime"},
    ),
    "prores_ks": VideoCodec(
        name="prores_ks",
        buffered={None: 10},
        suffixes=(".mov", ".mkv"),
        auto=((10, "yuv422p10le"), (12, "yuv444p10le")),
        formats=("yuv422p10le", "yuv444p10le"),
        alpha={"yuv444p10le": "yuva444p10le"},
        whole_chroma=True,
    ),
    "ffv1": VideoCodec(
        name="ffv1",
        buffered={None: 22},
        suffixes=(".mkv",),
        auto=((8, "bgr0"), (10, "gbrp10le"), (12, "gbrp12le"), (16, "gbrp16le")),
        formats=(*_YUV8, *_YUV10, "bgr0", "gbrp10le", "gbrp12le", "gbrp16le"),
        alpha={
            **_RGB_ALPHA,
            **{name: name.replace("yuv", "yuva") for name in (*_YUV8, *_YUV10)},
        },
        extra=_ffv1,
    ),
    # Its segments are ffv1: a palette fits the whole clip, so that GIF cannot be joined.
    "gif": VideoCodec(
        name="gif",
        buffered={None: 22},
        suffixes=(".gif",),
        auto=((16, "bgr0"),),
        formats=("bgr0",),
        alpha={"bgr0": "bgra"},
    ),
}
