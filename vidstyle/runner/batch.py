"""A folder of clips, one after the other; a bad one is named and does not stop the rest."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from vidstyle.core.errors import InputError, OutputError, StageError, UsageError, VidstyleError
from vidstyle.core.stop import StopRequest
from vidstyle.runner.config.pipeline import Pipeline
from vidstyle.runner.execution.events import Listener, Result
from vidstyle.runner.job import Job, check_without_clip, output_suffix, prepared
from vidstyle.runner.plan.naming import mirrored_paths
from vidstyle.runner.storage.made import Standing, look_up
from vidstyle.runner.worker import Worker

# Known to FFmpeg, but not to every machine's table of types.
_MORE_SUFFIXES = frozenset(
    [
        ".264",
        ".265",
        ".3gp",
        ".asf",
        ".avi",
        ".divx",
        ".dv",
        ".f4v",
        ".flv",
        ".h264",
        ".h265",
        ".hevc",
        ".ivf",
        ".m2ts",
        ".m2v",
        ".m4v",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
        ".nut",
        ".ogv",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
        ".y4m",
    ]
)


Rule: TypeAlias = Literal["refuse", "redo", "keep", "overwrite"]
"""What becomes of outputs that are there: those with another stamp are refused, made again, or
kept; ``overwrite`` makes all again, also those that are not ours."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one clip of a batch ended: done, kept from an earlier batch, or failed."""

    input: Path
    output: Path
    result: Result | None = None
    error: VidstyleError | None = None
    standing: Standing | None = None
    """Of an output that was kept."""
    stage: str | None = None
    """Name of the stage that failed, where one did."""

    @property
    def kept(self) -> bool:
        """The output was there already."""
        return self.result is None and self.error is None


def find_clips(folder: Path, *, leave_out: Path) -> tuple[list[Path], list[Path]]:
    """Clips below the folder, sorted, and the files that are not; hidden ones are not seen.

    ``leave_out`` is the folder of the outputs, which may lie inside. Raises InputError where
    the folder is none or holds no clip, UsageError where both folders are one.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; `vidstyle run` takes single clips")
    left_out = leave_out.resolve()
    if left_out == folder.resolve():
        raise UsageError(f"the output folder is the input folder: {folder}; choose another -o")
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not _is_left_out(path, left_out, folder)
    )
    clips = [path for path in files if _is_clip(path)]
    if not clips:
        raise InputError(f"{folder} holds no clips")
    return clips, [path for path in files if not _is_clip(path)]


def _is_left_out(path: Path, output: Path, folder: Path) -> bool:
    """Outputs in a folder inside are not clips; a folder around the clips leaves nothing out."""
    inside = output.is_relative_to(folder.resolve())
    return inside and output in path.resolve().parents


def _is_clip(path: Path) -> bool:
    if path.suffix.lower() in _MORE_SUFFIXES:
        return True
    kind = mimetypes.guess_type(path.name)[0] or ""
    return kind.startswith(("video/", "audio/")) or kind == "image/gif"


def run_batch(
    pipeline: Pipeline,
    folder: Path,
    clips: Sequence[Path],
    output: Path,
    *,
    device: str = "auto",
    rule: Rule = "refuse",
    listen_to: Callable[[Path], Listener],
    stop: StopRequest | None = None,
) -> Iterator[Outcome]:
    """Run each clip and say how it ended; what every clip would meet is raised before the first.

    So is OutputError where the rule does not say what is to become of outputs that are there.
    """
    check_without_clip(pipeline, device=device)
    if output.exists() and not output.is_dir():
        raise OutputError(f"{output} is not a folder; choose another -o")
    outputs = mirrored_paths(clips, folder, output, output_suffix(pipeline))
    jobs = [
        Job(pipeline, clip, destination, device)
        for clip, destination in zip(clips, outputs, strict=True)
    ]
    standings = _standings(jobs, rule)
    with Worker() as worker:
        yield from _outcomes(jobs, standings, rule, worker, listen_to, stop or StopRequest())


def _outcomes(
    jobs: Sequence[Job],
    standings: Sequence[Standing | None],
    rule: Rule,
    worker: Worker,
    listen_to: Callable[[Path], Listener],
    stop: StopRequest,
) -> Iterator[Outcome]:
    for job, standing in zip(jobs, standings, strict=True):
        if _is_kept(standing, rule):
            yield Outcome(job.input, job.output, standing=standing)
            continue
        stop.check()
        made = _make_folders(job.output.parent)
        try:
            # Of a clip that could not be opened nobody knows what its output is.
            overwrite = standing is not None and standing.state != "absent"
            wanted = replace(job, overwrite=overwrite)
            result = worker.run(wanted, listen=listen_to(job.input), stop=stop)
            yield Outcome(job.input, job.output, result)
        except VidstyleError as error:
            stage = _stage_of(error, job.pipeline)
            yield Outcome(job.input, job.output, error=error, stage=stage)
        finally:
            for empty in made:
                with suppress(OSError):
                    empty.rmdir()


def _standings(jobs: Sequence[Job], rule: Rule) -> list[Standing | None]:
    """What lies at each output; None where the clip cannot be opened, which its run reports.

    Raises OutputError where some are in the way.
    """
    standings = [_standing(job, rule) for job in jobs]
    known = [each for each in standings if each is not None]
    foreign = [each for each in known if each.state == "foreign"]
    other = [each for each in known if each.state == "other" and not each.source_alone]
    if rule == "keep" or not (foreign or (other and rule == "refuse")):
        return standings
    raise OccupiedError([*other, *foreign] if rule == "refuse" else foreign, len(jobs))


def _standing(job: Job, rule: Rule) -> Standing | None:
    if rule == "overwrite" or not job.output.exists():
        return Standing(job.output, "absent" if not job.output.exists() else "other")
    try:
        with prepared(job) as (assembly, plan):
            return look_up(job.output, job.input, assembly, plan)
    except VidstyleError:
        return None


def _is_kept(standing: Standing | None, rule: Rule) -> bool:
    if standing is None or standing.state == "absent" or rule == "overwrite":
        return False
    return standing.state == "done" or rule == "keep"


class OccupiedError(OutputError):
    """Outputs that were made otherwise, or are not ours, and no rule what is to become of them."""

    def __init__(self, standings: Sequence[Standing], clips: int) -> None:
        foreign = sum(each.state == "foreign" for each in standings)
        advice = "pass --redo to make them again, or --keep to leave them"
        if foreign:
            advice = f"{foreign} are not of vidstyle: pass --overwrite to replace all, or --keep"
        super().__init__(
            f"{len(standings)} of {clips} outputs are not what this batch makes; {advice}"
        )
        self.standings = tuple(standings)
        """Of each."""


def _stage_of(error: VidstyleError, pipeline: Pipeline) -> str | None:
    match error:
        case StageError():
            return error.stage
        case InputError():
            return pipeline.stages[0].name
        case OutputError():
            return pipeline.stages[-1].name
    return None


def _make_folders(folder: Path) -> list[Path]:
    """Make the folder and those above it; those that were not there, the deepest first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error
    return missing
