"""A page on the temporal consistency of clips: the clips, scores, charts, the worst frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from markupsafe import Markup

from vidstyle.core.errors import OutputError, UsageError
from vidstyle.evaluation.file_evaluation import PER_FRAME, SOURCE
from vidstyle.evaluation.motion import PairFlow
from vidstyle.evaluation.scores import Evaluation
from vidstyle.report.contents import Contents
from vidstyle.report.pair_gallery import WorstPair, render_gallery
from vidstyle.report.pair_views import find_worst_frames, view_pairs
from vidstyle.report.preview_video import encode_previews
from vidstyle.report.side_by_side import Interval
from vidstyle.runner.storage.destination import Destination

# Size of a report, at most, by default.
MOST_BYTES: Final = 40 * 2**20


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
    """Write a page of HTML that contains everything that it shows.

    The clips are read again, for the images and for small videos of them; where those do not fit
    into ``most_bytes`` they lose quality, and then frames, which the page says.

    Args:
        path: Replaced once the page is complete.
        evaluations: By the names of the clips.
        clips: The ``source``, each of the evaluated clips, and ``per frame`` where there is one.
        flow: The optical flow that evaluated.
        frames: The half-open interval that was evaluated, the same of every clip; cuts and series
            are counted from its beginning.
        most_bytes: Size of the page at most.
        overwrite: Whether a file that exists may be replaced.

    Raises:
        InputError: A clip cannot be read, or ends before a frame that was evaluated.
        UsageError: ``most_bytes`` are too few for the scores alone, or ``path`` is a clip.
        OutputError: The file cannot be written.
        ValueError: A clip is missing.
    """
    _check_names(evaluations, clips)
    destination = _destination(path, clips, overwrite=overwrite)
    first = frames[0]
    names = tuple(name for name in (SOURCE, PER_FRAME, *evaluations) if name in clips)
    contents = Contents.of(evaluations, clips[SOURCE].name, first_frame=first)
    bare = contents.size_without_videos(Markup(), names)
    if bare > most_bytes:
        raise UsageError(
            f"a report of these clips has {bare / 2**20:.2f} MiB without any image, and"
            f" {most_bytes / 2**20:.2f} MiB are allowed; allow more, or evaluate fewer frames"
        )
    pairs = _worst_pairs(evaluations, clips, flow, frames)
    gallery = render_gallery(pairs, first_frame=first, most_bytes=(most_bytes - bare) // 2)
    left = most_bytes - contents.size_without_videos(gallery, names)
    videos = encode_previews(
        {name: clips[name] for name in names},
        frames,
        most_bytes=_before_base64(left, files=len(names)),
    )
    write_text(destination, contents.page(gallery, videos))


def write_text(destination: Destination, text: str) -> None:
    """Write the file in UTF-8 apart from its destination, then put it in place.

    Raises OutputError where it cannot be written, or exists and must not be replaced, and
    LockedError where another run writes it.
    """
    with destination.reserved():
        try:
            # A new file: whatever lies there by now, such as a link, is not written through.
            with destination.partial.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise OutputError(f"cannot write {destination.path}: {error.strerror}") from error
        destination.commit()


def _check_names(evaluations: Mapping[str, Evaluation], clips: Mapping[str, Path]) -> None:
    if not evaluations:
        raise ValueError("a report needs at least one evaluated clip")
    if taken := {SOURCE, PER_FRAME} & set(evaluations):
        raise ValueError(f"an evaluated clip cannot have the name {sorted(taken)[0]!r}")
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
    views = view_pairs(
        clips[SOURCE],
        {name: clips[name] for name in evaluations},
        {name: find_worst_frames(values) for name, values in series.items()},
        flow,
        frames,
    )
    return {
        name: [WorstPair(series[name][pair.index] or 0.0, pair) for pair in found]
        for name, found in views.items()
    }


def _before_base64(length: int, *, files: int) -> int:
    """How many bytes of so many files fit into ``length`` characters of base64."""
    return max(0, (length - 4 * files) // 4 * 3)
