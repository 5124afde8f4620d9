"""Words about the original that are true of the output, too: titles, languages, chapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from vidstyle.stages.encode.routes import Cut

if TYPE_CHECKING:
    from av.container.core import Chapter  # a name of the stubs alone

# Titles that describe the original file and not the output.
_UNTRUE: Final = frozenset(
    {
        *("encoder", "major_brand", "minor_version", "compatible_brands", "duration", "rotate"),
        # Statistics of a stream that mkvmerge writes.
        *("bps", "number_of_frames", "number_of_bytes"),
    }
)
_STATISTICS: Final = "_statistics_"


def true_titles(metadata: Mapping[str, str]) -> dict[str, str]:
    """The titles without those that describe the original file alone."""
    return {name: text for name, text in metadata.items() if not _is_untrue(name.lower())}


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
