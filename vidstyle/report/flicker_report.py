"""One page that shows how steady clips are: figures, curves, the worst frames, and the clips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vidstyle.core.errors import OutputError, UsageError
from vidstyle.evaluation.file_evaluation import PER_FRAME, SOURCE
from vidstyle.evaluation.motion import PairFlow
from vidstyle.evaluation.scores import Evaluation
from vidstyle.report.contents import Contents
from vidstyle.report.markup import EMPTY
from vidstyle.report.pair_gallery import WorstPair, gallery_within
from vidstyle.report.pair_views import pairs_of_clips
from vidstyle.report.preview_video import preview_videos_within
from vidstyle.report.reading import Interval
from vidstyle.report.text_file import write_text
from vidstyle.report.worst_pairs import worst_frames
from vidstyle.runner.storage.destination import Destination

MOST_BYTES: Final = 40 * 2**20
"""Size of a report, at most, unless another is asked for."""


def write_report(
    path: Path,
    evaluations: Mapping[str, Evaluation],
    clips: Mapping[str, Path],
    flow: PairFlow,
    frames: Interval,
    *,
    most_bytes: int = MOST_BYTES,
    overwrite: bool = True,
) -> None:
    """Write ``path``: a page of HTML that holds everything that it shows.

    ``clips`` has the ``source``, each of the ``evaluations`` by its name, and where there is one
    the painting ``per frame``. ``frames`` is the half-open interval that was judged, of every clip
    alike; cuts and series are counted from its beginning. ``flow`` is the one that judged.

    The clips are read again, for the images and for small films of them; where those would not
    fit into ``most_bytes`` they lose quality, and then frames, which the page says. A file that is
    there is replaced when the page is complete, unless ``overwrite`` is false.

    Raises InputError for clips that cannot be read or that end before a judged frame, UsageError
    where ``most_bytes`` do not even hold the figures or ``path`` is one of the clips, OutputError
    where it cannot be written, and ValueError where a clip is missing.
    """
    _check_names(evaluations, clips)
    destination = _destination(path, clips, overwrite=overwrite)
    first = frames[0]
    names = tuple(name for name in (SOURCE, PER_FRAME, *evaluations) if name in clips)
    contents = Contents.of(evaluations, clips[SOURCE].name, first_frame=first)
    bare = contents.size_without_preview_videos(EMPTY, names)
    if bare > most_bytes:
        raise UsageError(
            f"a report of these clips has {bare / 2**20:.2f} MiB without any image, and"
            f" {most_bytes / 2**20:.2f} MiB are allowed; allow more, or judge fewer frames"
        )
    pairs = _worst_pairs(evaluations, clips, flow, frames)
    gallery = gallery_within(pairs, first_frame=first, most_bytes=(most_bytes - bare) // 2)
    preview_videos = preview_videos_within(
        {name: clips[name] for name in names},
        frames,
        most_bytes=_before_base64(
            most_bytes - contents.size_without_preview_videos(gallery, names), files=len(names)
        ),
    )
    write_text(destination, contents.text(gallery, preview_videos))


def _check_names(evaluations: Mapping[str, Evaluation], clips: Mapping[str, Path]) -> None:
    if not evaluations:
        raise ValueError("a report needs a judged clip at least")
    if taken := {SOURCE, PER_FRAME} & set(evaluations):
        raise ValueError(f"a judged clip cannot have the name {sorted(taken)[0]!r}")
    if missing := {SOURCE, *evaluations} - set(clips):
        raise ValueError(f"no clip is given for {', '.join(sorted(missing))}")


def _destination(path: Path, clips: Mapping[str, Path], *, overwrite: bool) -> Destination:
    destination = Destination(path, overwrite)
    if path.is_dir():
        raise OutputError(f"{path} is a folder; give the name of a file for the report")
    for clip in clips.values():
        destination.check(clip)
    return destination


def _worst_pairs(
    evaluations: Mapping[str, Evaluation],
    clips: Mapping[str, Path],
    flow: PairFlow,
    frames: Interval,
) -> dict[str, list[WorstPair]]:
    """Of each clip, the worst first."""
    series = {name: evaluation.series.get("e_warp", ()) for name, evaluation in evaluations.items()}
    views = pairs_of_clips(
        clips[SOURCE],
        {name: clips[name] for name in evaluations},
        {name: worst_frames(values) for name, values in series.items()},
        flow,
        frames,
    )
    return {
        name: [WorstPair(series[name][pair.index] or 0.0, pair) for pair in found]
        for name, found in views.items()
    }


def _before_base64(length: int, *, files: int) -> int:
    """How many bytes of so many files have at most ``length`` letters of base64."""
    return max(0, (length - 4 * files) // 4 * 3)
