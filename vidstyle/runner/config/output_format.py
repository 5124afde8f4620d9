"""Fits the sink of a pipeline, its codec and its options to the name of the output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from vidstyle.runner.config.changes import Override
from vidstyle.runner.config.pipeline_file import WrittenPipeline
from vidstyle.runner.config.stage_list import LAST, WrittenStage
from vidstyle.runner.config.yaml_values import YamlScalar
from vidstyle.stages.encode.codecs import CODECS, VideoCodec
from vidstyle.stages.encode.containers import CONTAINERS, codec_for
from vidstyle.stages.encode.image_format import IMAGE_FORMATS

VIDEO_SINK, IMAGE_SINK = "encode/pyav", "encode/images"
PIPE_SINK = "encode/pipe"
"""What a run with a pipe writes its frames by; it is no stage of a pipeline file."""
FOLDER = "/"
"""Stands for the suffix of a folder of images."""

# Options that only a video has: that an image has none is no news.
_OF_VIDEO = frozenset({"codec", "crf", "preset", "pixel_format"})
# What a codec may not take, and how it says so.
_CHECKS: dict[str, Callable[[VideoCodec, Any], None]] = {
    "crf": VideoCodec.check_crf,
    "preset": VideoCodec.check_preset,
    "pixel_format": VideoCodec.check_pixel_format,
}


def fit_output(
    written: WrittenPipeline, suffix: str, changes: Sequence[Override]
) -> tuple[WrittenPipeline, tuple[str, ...]]:
    """Take a sink and a codec for the output, and leave out options that are for the old ones.

    An image, and a folder of them, is written by ``encode/images``, and a video by ``encode/pyav``.
    The codec that a user names counts. Else, where a file of that suffix cannot hold the pipeline's
    own one, the usual one of such files; a pipeline without loss keeps its codec, for what is lost
    cannot be got back.

    Args:
        written: The pipeline before the user's changes.
        suffix: Of the output, such as ``.webm`` or ``.png``; ``FOLDER`` for a folder of images;
            empty where it is not known.
        changes: Of the user. What they set is never left out.

    Returns:
        The pipeline, and what was changed, a line each.

    Raises:
        PipelineError: The user set an option of videos, and the output is an image.
    """
    written, notes = _fit_sink(written, suffix, changes)
    entry = written.stages[-1]
    own = _text(entry, "codec") or "libx264"
    if entry.use != VIDEO_SINK or own not in CODECS:
        return written, notes
    mine = {change.option: change.value for change in changes if change.stage in (entry.name, LAST)}
    named = mine.get("codec")
    if named is not None:
        wanted = named.value if isinstance(named, YamlScalar) else None
    else:
        wanted = _usual_codec(own, suffix)
    if wanted not in CODECS or wanted == own:
        return written, notes
    codec = CODECS[wanted]
    lost = [name for name in _unfit(entry, codec) if name not in mine]
    options = entry.options.without(*lost)
    if named is None:
        options = options.with_item("codec", YamlScalar(wanted, entry.where), entry.where)
    stages = (*written.stages[:-1], replace(entry, options=options))
    notes += tuple(_notes(own, codec, suffix, lost, named is None))
    return replace(written, stages=stages), notes


def sink_for(use: str, suffix: str) -> str:
    """The sink that writes such an output, where a pipeline has the sink ``use``."""
    if use == VIDEO_SINK and (suffix == FOLDER or suffix in IMAGE_FORMATS):
        return IMAGE_SINK
    return VIDEO_SINK if use == IMAGE_SINK and suffix in CONTAINERS else use


def _fit_sink(
    written: WrittenPipeline, suffix: str, changes: Sequence[Override]
) -> tuple[WrittenPipeline, tuple[str, ...]]:
    entry = written.stages[-1]
    use = sink_for(entry.use, suffix)
    if use == entry.use:
        return written, ()
    no_news: frozenset[str] = frozenset()
    if use == IMAGE_SINK:
        no_news = _OF_VIDEO
        for change in changes:
            if change.stage in (entry.name, LAST) and change.option in no_news:
                raise change.where.error(
                    f"the output is an image, and only videos have {change.option}; leave it out"
                )
    both = {"alpha"} if _text(entry, "alpha") in ("keep", "drop") else set()
    unfit = [name for name in entry.options.items if name not in both]
    stages = (*written.stages[:-1], replace(entry, use=use, options=entry.options.without(*unfit)))
    lost = [name for name in unfit if name not in no_news and name != "codec"]
    notes = (_left_out(lost, "images" if use == IMAGE_SINK else "videos"),)
    return replace(written, stages=stages), notes if lost else ()


def _left_out(options: Sequence[str], what: str) -> str:
    verb = "it has" if len(options) == 1 else "they have"
    return f"{' and '.join(options)} of the pipeline left out: {verb} no meaning for {what}"


def _usual_codec(own: str, suffix: str) -> str:
    if own == "ffv1" or suffix in CODECS[own].suffixes:  # type: ignore[index]  # it is one
        return own
    return codec_for(suffix) or own


def _unfit(entry: WrittenStage, codec: VideoCodec) -> Iterator[str]:
    for name, check in _CHECKS.items():
        value = entry.options.items.get(name)
        if isinstance(value, YamlScalar) and value.value is not None:
            try:
                check(codec, value.value)
            except (TypeError, ValueError):
                yield name


def _notes(
    own: str, codec: VideoCodec, suffix: str, lost: Sequence[str], chosen: bool
) -> Iterator[str]:
    if chosen:
        yield f"{suffix} cannot hold {own}: encoded by {codec.name}"
    if lost:
        yield _left_out(lost, codec.name)


def _text(entry: WrittenStage, option: str) -> str | None:
    value = entry.options.items.get(option)
    plain = value.value if isinstance(value, YamlScalar) else None
    return plain if isinstance(plain, str) else None
