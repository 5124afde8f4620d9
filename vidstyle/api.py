"""The public functions: stylize a file, read frames, make one stage."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from vidstyle.core.frame import Frame
    from vidstyle.runner.config.changes import Change
    from vidstyle.runner.config.discovery import Registry
    from vidstyle.runner.execution.events import Event, Listener, Result
    from vidstyle.runner.job import Job


def run(
    pipeline: str | os.PathLike[str],
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    style: str
    | os.PathLike[str]
    | Mapping[str, float]
    | Sequence[str | os.PathLike[str]]
    | None = None,
    strength: float | None = None,
    consistency: float | None = None,
    stroke_size: float | Literal["auto"] | None = None,
    options: Mapping[str, Any] | None = None,
    frames: tuple[int, int | None] | str = (0, None),
    split_shots: int | None = None,
    device: str = "auto",
    overwrite: bool = False,
    resume: bool = True,
    plugins: Iterable[str | os.PathLike[str]] = (),
    listen: Listener | None = None,
) -> Result:
    """Stylize one clip, as ``vidstyle run`` does.

    An interrupted call is resumed by the same call. After an exception the output is unchanged.

    Args:
        pipeline: A shipped pipeline by name, such as ``"temporal"``, or a YAML file.
        source: A video file, a photo, or a folder of images.
        output: The file to write, whose suffix chooses a video or an image, or a folder where the
            pipeline writes images.
        style: A style by name, a style file, an image, or weights by name for a mix. The style of
            an image is learned before the run, once, and kept in the user's cache; a list of images
            is learned as one style.
        strength: Strength of the stylization, 0 to 1; None leaves it to the pipeline.
        consistency: Temporal consistency, 0 to 1; None leaves it to the pipeline.
        stroke_size: Size of the strokes relative to what the network draws, or ``"auto"``: as
            large, relative to the frame, as at 640x360; None leaves it to the pipeline. Larger ones
            add ``geometry/reduce`` and ``geometry/restore``, as ``--stroke-size`` does.
        options: Other options by ``"stage.option"``, such as ``{"encode.crf": 20}``. Values are
            those of the YAML file, keyframes included. They apply before the arguments above.
        frames: Half-open interval of frame indices; None as its end stands for the last frame. A
            text is read as that of ``--frames``, such as ``"3s:8s"``.
        split_shots: Frames after which a shot is cut into parts that are computed apart; None for
            never.
        device: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        overwrite: Whether an existing output is replaced. One that is what the call would make is
            left as it is, and its frames and hash are returned.
        resume: Whether stored work of an interrupted call is used.
        plugins: Folders of stages, as with ``--plugins``.
        listen: Called with each event of the run, from the thread that encodes, and before it with
            each step of learning a style.

    Returns:
        The output path, the number of frames, their hash, and the seconds by stage.

    Raises:
        VidstyleError: The run fails; its subclasses in ``vidstyle.core.errors`` say why.
    """
    from vidstyle.runner import job as jobs
    from vidstyle.runner.config.changes import TypedStrokes
    from vidstyle.runner.config.pipeline import load_pipeline
    from vidstyle.runner.config.shipped import pipeline_file
    from vidstyle.runner.interval import parse_interval

    changes = dict(options or {})
    sugar = {
        "stylize.style": style,
        "stylize.strength": strength,
        "blend.strength": consistency,
    }
    changes |= {name: value for name, value in sugar.items() if value is not None}
    overrides: list[Change] = [f"{name}={_yaml(value)}" for name, value in changes.items()]
    if stroke_size is not None:
        overrides.append(TypedStrokes(str(stroke_size), f"stroke_size={stroke_size}"))
    loaded = load_pipeline(
        pipeline_file(Path(pipeline)),
        registry=_registry(plugins),
        overrides=overrides,
        suffix=Path(output).suffix,
    )
    job = jobs.Job(
        loaded,
        Path(source),
        Path(output),
        device,
        parse_interval(frames) if isinstance(frames, str) else frames,
        split_shots=split_shots,
        overwrite=overwrite,
        resume=resume,
    )
    return jobs.run(_with_learned_styles(job, listen), listen=listen)


def frames(source: str | os.PathLike[str], **options: Any) -> Iterator[Frame]:
    """Decode a clip as pipelines do, with exact times.

    Args:
        source: A video file, a photo, or a folder of images.
        **options: Options of the stage ``decode/pyav``, or ``decode/images`` for images.

    Yields:
        Frames in order of presentation. ``frame.host("image")`` is the image: a read-only numpy
        array (H, W, 3), RGB, float32 in [0, 1]. ``frame.pts`` counts in the clip's time base.

    Raises:
        PipelineError: There is no such option, or its value is not valid.
        InputError: The file is missing, damaged or beyond a limit.
    """
    from vidstyle.core.context import ExecutionContext
    from vidstyle.imaging.photo_file import holds_images

    path = Path(source)
    reader = stage("decode/images" if holds_images(path) else "decode/pyav", **options)
    with closing(reader):
        reader.open(path, ExecutionContext())
        for frame in reader.frames(None):
            # In a pipeline the runner does this: the image starts as the source.
            yield replace(frame, layers={**frame.layers, "image": frame.layers["source"]})


def stage(use: str, *, plugins: Iterable[str | os.PathLike[str]] = (), **options: Any) -> Any:
    """Make one stage, to call it directly or to test it.

    The stage is not open: ``open`` loads its weights. See ``vidstyle.core.stage`` for its methods.

    Args:
        use: Its name, such as ``"flow/dis"`` or ``"filter/keep-colors"``.
        plugins: Folders of stages, as with ``--plugins``.
        **options: Its options, with the values of a YAML file.

    Returns:
        A new object of the stage's class.

    Raises:
        PipelineError: There is no such stage or option, or a value is not valid.
        PluginError: The stage is broken.
    """
    from vidstyle.runner.config.pipeline import load_stage
    from vidstyle.runner.config.stage_list import stage_of_values
    from vidstyle.runner.config.yaml_values import Where

    entry = load_stage(stage_of_values(use, options, Where(use)), _registry(plugins))
    return entry.cls(entry.options)


def _with_learned_styles(job: Job, listen: Listener | None) -> Job:
    """The job with style files in place of images, learned where they have not been."""
    from vidstyle.runner.job import prepared
    from vidstyle.runner.storage.destination import Destination
    from vidstyle.training.image_styles import find_image_styles, learn_missing

    styles = find_image_styles(job.pipeline)
    if styles is None:
        return job
    if styles.missing:
        # What would stop the run stops it before minutes of learning.
        Destination(job.output, job.overwrite).check(job.input)
        with prepared(replace(job, pipeline=styles.stand_in)):
            pass
        learn_missing(styles, device=job.device, listen=listen or _ignore)
    return replace(job, pipeline=styles.pipeline)


def _ignore(event: Event) -> None:
    return None


def _registry(plugins: Iterable[str | os.PathLike[str]]) -> Registry:
    from vidstyle.runner.config.discovery import Registry, folders_from_environment

    return Registry([*folders_from_environment(), *map(Path, plugins)])


def _yaml(value: Any) -> str:
    """JSON is YAML, whatever characters a name has."""
    return json.dumps(value, ensure_ascii=False, default=str)
