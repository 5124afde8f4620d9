"""Words about the original that are true of the output, too: titles, languages, chapters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vidstyle.core import Note
from vidstyle.media.container import choose_video, open_original, video_streams
from vidstyle.stages.encode.routes import Cut
from vidstyle.stages.encode.timecode import later_timecode

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.container.core import Chapter  # a name of the stubs alone

# Titles that describe the original file and not the output.
_UNTRUE: Final = frozenset(
    {
        *("encoder", "major_brand", "minor_version", "compatible_brands", "duration", "rotate"),
        # Statistics of a stream that mkvmerge writes.
        *("bps", "number_of_frames", "number_of_bytes"),
        # Identities and the writing program in MXF.
        *("uid", "generation_uid", "product_uid", "material_package_umid", "file_package_umid"),
        *("operational_pattern_ul", "company_name", "product_name", "product_version"),
        *("product_version_num", "toolkit_version", "toolkit_version_num", "application_platform"),
        # Whether a video in Matroska has opacity beside its packets: the muxer says so itself.
        "alpha_mode",
        # Facts for players in FLV and ASF.
        *("datasize", "videosize", "audiosize", "lasttimestamp", "lastkeyframetimestamp"),
        *("lastkeyframelocation", "hasvideo", "hasaudio", "hasmetadata", "haskeyframes"),
        *("hascuepoints", "canseektoend", "metadatacreator", "metadatadate"),
        *("wmfsdkversion", "wmfsdkneeded", "isvbr", "deviceconformancetemplate"),
    }
)
_STATISTICS: Final = "_statistics_"


# Names in QuickTime's metadata and what FFmpeg calls them where it can write them.
_QUICKTIME: Final = {
    f"com.apple.quicktime.{theirs}": ours
    for theirs, ours in (
        ("make", "make"),
        ("model", "model"),
        ("location.iso6709", "location"),
    )
}
# What FFmpeg calls languages of QuickTime's own list, by the usual codes where these are others.
_QUICKTIME_LANGUAGES: Final = {
    "fre": "fra",
    "swe": "sve",
    "rum": "ron",
    "cze": "ces",
    "slo": "slk",
    "deu": "ger",
    "nld": "dut",
    "ell": "gre",
    "isl": "ice",
    "zho": "chi",
    "sqi": "alb",
    "mkd": "mac",
    "hye": "arm",
    "kat": "geo",
    "bod": "tib",
    "mya": "bur",
    "msa": "may",
    "cym": "wel",
    "eus": "baq",
}
TIMECODE: Final = "timecode"
_LANGUAGE: Final = "language"
_UNKNOWN_LANGUAGE: Final = "und"
# Names of what programs write of themselves.
_OF_PROGRAMS: Final = frozenset({"handler_name", "vendor_id", "software"})
# Names of lost titles that a note lists.
_LISTED: Final = 6


class Titles:
    """Titles of the original as they are true of the output."""

    def __init__(self, container: str) -> None:
        """``container`` is FFmpeg's name of the output's format."""
        self._format = container
        self._wanted: set[tuple[str, str]] = set()
        self._later = Fraction(0)
        self._rate: Fraction | None = None

    def start_later(self, seconds: Fraction, rate: Fraction | None) -> None:
        """Let timecodes start that much later; ``rate`` is None where it varies."""
        self._later, self._rate = seconds, rate

    def of(self, metadata: Mapping[str, str]) -> dict[str, str]:
        """The titles without those that describe the original file alone."""
        titles = {name: text for name, text in metadata.items() if not _is_untrue(name.lower())}
        lost = set()
        if self._later and TIMECODE in titles:
            text = titles.pop(TIMECODE)
            rate = self._rate
            later = None if rate is None else later_timecode(text, self._later, rate)
            if later is not None:
                titles[TIMECODE] = later
            else:
                lost.add((TIMECODE, text))
        if self._format == "mov" and _LANGUAGE in titles:
            language = titles[_LANGUAGE]
            titles[_LANGUAGE] = _QUICKTIME_LANGUAGES.get(language, language)
        self._wanted |= lost | {title for title in titles.items() if _is_meant(*title)}
        if self._format == "mov":
            known = {n: _QUICKTIME[n.lower()] for n in titles if n.lower() in _QUICKTIME}
            titles |= {ours: titles[theirs] for theirs, ours in known.items()}
        return titles

    def notes(self, written: InputContainer) -> Iterator[Note]:
        """What a written file does not have of them."""
        kept = set(written.metadata.values())
        for stream in written.streams:
            kept |= set(stream.metadata.values())
        lost = {name for name, text in self._wanted if text.strip() not in kept}
        if lost:
            yield _lost_note(f"these titles are not kept in {self._format}", lost)


def lost_titles(path: Path, what: str) -> Iterator[Note]:
    """What an original has of titles and chapters, for an output that has neither.

    Args:
        path: The original.
        what: The output, for the note: ``a GIF``.
    """
    with open_original(path) as source:
        if source is None or not video_streams(source):
            return
        found = {**source.metadata, **choose_video(source).metadata}
        lost = {name for name, text in found.items() if _is_meant(name, text)}
        lost = {name for name in lost if not _is_untrue(name.lower()) and name != _LANGUAGE}
        if source.chapters():
            lost.add("chapters")
    if lost:
        yield _lost_note(f"{what} keeps no titles", lost)


def _lost_note(text: str, names: Collection[str]) -> Note:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return Note("titles", f"{text}: {', '.join(sorted(names)[:_LISTED])}{more}")


def _is_meant(name: str, text: str) -> bool:
    """Whether somebody may miss a title."""
    known = (name.lower(), text) != (_LANGUAGE, _UNKNOWN_LANGUAGE)
    return known and name.lower() not in _OF_PROGRAMS


def _is_untrue(name: str) -> bool:
    # Statistics may carry a language: BPS-eng.
    return name.partition("-")[0] in _UNTRUE or name.startswith(_STATISTICS)


def moved_chapter(chapter: Chapter, cut: Cut) -> Chapter | None:
    """The chapter on the output's clock, or None outside of the cut."""
    time_base = chapter["time_base"]
    if time_base is None:
        return None
    start, end = chapter["start"], chapter["end"]
    if not cut.keeps(start * time_base, end * time_base):
        return None
    start, end = cut.moved(start, time_base), cut.moved(end, time_base)
    if cut.exact:
        start, end = cut.trimmed(start, end, time_base)
    return {**chapter, "start": start, "end": end}
