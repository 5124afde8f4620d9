"""Fits the codec of a pipeline to the name of the output, and its options to another codec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from vidstyle.runner.config.pipeline_file import Override, WrittenPipeline
from vidstyle.runner.config.stage_list import LAST, WrittenStage
from vidstyle.runner.config.yaml_values import YamlScalar
from vidstyle.stages.encode.codecs import CODECS, VideoCodec
from vidstyle.stages.encode.containers import codec_for

_USE = "encode/pyav"
# What a codec may not take, and how it says so.
_CHECKS: dict[str, Callable[[VideoCodec, Any], None]] = {
    "crf": VideoCodec.check_crf,
    "preset": VideoCodec.check_preset,
    "pixel_format": VideoCodec.check_pixel_format,
}


def fit_output(
    written: WrittenPipeline, suffix: str, changes: Sequence[Override]
) -> tuple[WrittenPipeline, tuple[str, ...]]:
    """Take a codec that the output can hold, and leave out options that are for the old one.

    The codec that a user names counts. Else, where a file of that suffix cannot hold the pipeline's
    own one, the usual one of such files; a pipeline without loss keeps its codec, for what is lost
    cannot be got back.

    Args:
        written: The pipeline before the user's changes.
        suffix: Of the output, such as ``.webm``; empty for a folder, or where it is not known.
        changes: Of the user. What they set is never left out.

    Returns:
        The pipeline, and what was changed, a line each.
    """
    entry = written.stages[-1]
    own = _text(entry, "codec") or "libx264"
    if entry.use != _USE or own not in CODECS:
        return written, ()
    mine = {change.option: change.value for change in changes if change.stage in (entry.name, LAST)}
    named = mine.get("codec")
    if named is not None:
        wanted = named.value if isinstance(named, YamlScalar) else None
    else:
        wanted = _usual_codec(own, suffix)
    if wanted not in CODECS or wanted == own:
        return written, ()
    codec = CODECS[wanted]
    lost = [name for name in _unfit(entry, codec) if name not in mine]
    options = entry.options.without(*lost)
    if named is None:
        options = options.with_item("codec", YamlScalar(wanted, entry.where), entry.where)
    stages = (*written.stages[:-1], replace(entry, options=options))
    return replace(written, stages=stages), tuple(_notes(own, codec, suffix, lost, named is None))


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
        yield f"{' and '.join(lost)} of the pipeline left out: {codec.name} does not take such"


def _text(entry: WrittenStage, option: str) -> str | None:
    value = entry.options.items.get(option)
    plain = value.value if isinstance(value, YamlScalar) else None
    return plain if isinstance(plain, str) else None
