"""Options that several commands take together, and what they make of a pipeline or a job."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.option_values import interval_of

if TYPE_CHECKING:
    from vidstyle.runner.config.changes import Change
    from vidstyle.runner.config.pipeline import Pipeline
    from vidstyle.runner.interval import Interval
    from vidstyle.runner.job import Job
    from vidstyle.runner.schedule import Rule

# Of a style in a mix, in `great-wave:0.7`.
_WEIGHT = r"\d+(?:\.\d+)?|\.\d+"


@dataclass(frozen=True, kw_only=True)
class StyleOptions:
    """How the frames look, by options of the pipeline's own stages."""

    TITLE: ClassVar = "Style"

    style: given.Style = None
    strength: given.Strength = None
    stroke_size: given.StrokeSize = None
    consistency: given.Consistency = None

    def changes(self) -> list[Change]:
        """What they change in a pipeline."""
        from vidstyle.runner.config.changes import TypedOverride, TypedStrokes
        from vidstyle.runner.config.suggest import abbreviate

        found: list[Change] = []
        if self.style:
            for each in self.style:
                _check_style(each)
            value: object = _mix_of(self.style[0]) if len(self.style) == 1 else self.style
            typed = " ".join(f"--style {abbreviate(each)}" for each in self.style)
            # JSON is YAML, whatever characters a name has.
            text = json.dumps(value, ensure_ascii=False)
            found.append(TypedOverride(f"stylize.style={text}", typed))
        for option, target, number in (
            ("--strength", "stylize.strength", _text_of(self.strength)),
            ("--consistency", "blend.strength", _text_of(self.consistency)),
        ):
            if number is not None:
                found.append(TypedOverride(f"{target}={number}", f"{option} {number}"))
        if self.stroke_size is not None:
            found.append(TypedStrokes(self.stroke_size, f"--stroke-size {self.stroke_size}"))
        return found


@dataclass(frozen=True, kw_only=True)
class FrameOptions:
    """Which frames, their size, and what of the source stays; by stages that they add."""

    TITLE: ClassVar = "Frames"

    frames: given.Frames = None
    size: given.Size = None
    keep_colors: given.KeepColors = False
    mask: given.Mask = None
    invert_mask: given.InvertMask = False

    @property
    def interval(self) -> Interval:
        """The frames, half open."""
        return interval_of(self.frames)

    def changes(self) -> list[Change]:
        """What they add to a pipeline, in the order in which it applies."""
        from vidstyle.runner.config.changes import TypedStage
        from vidstyle.runner.config.suggest import abbreviate

        found: list[Change] = []
        if self.size is not None:
            typed = f"--size {abbreviate(self.size)}"
            found.append(TypedStage("geometry/scale", {"size": self.size}, typed, first=True))
        if self.keep_colors:
            found.append(TypedStage("filter/keep-colors", {}, "--keep-colors", first=False))
        if self.invert_mask and self.mask is None:
            raise typer.BadParameter("--invert-mask: name the mask with --mask FILE")
        if self.mask is not None:
            # A bare name would be that of a layer.
            options: dict[str, object] = {"mask": str(Path(self.mask).absolute())}
            if self.invert_mask:
                options["invert"] = True
            typed = f"--mask {abbreviate(self.mask)}"
            found.append(TypedStage("filter/mask", options, typed, first=False))
        return found


@dataclass(frozen=True, kw_only=True)
class CodecOptions:
    """How the output is coded."""

    TITLE: ClassVar = "Output"

    codec: given.Codec = None
    crf: given.Crf = None
    preset: given.Preset = None

    def changes(self) -> list[Change]:
        """What they change in a pipeline."""
        from vidstyle.runner.config.changes import TypedOverride

        named = (("codec", self.codec), ("crf", self.crf), ("preset", self.preset))
        return [
            TypedOverride(f"encode.{option}={value}", f"--{option} {value}")
            for option, value in named
            if value is not None
        ]


@dataclass(frozen=True, kw_only=True)
class ExistingOptions:
    """What becomes of outputs that are there."""

    TITLE: ClassVar = "Output"

    redo: given.Redo = False
    keep: given.Keep = False
    overwrite: given.Overwrite = False

    @property
    def rule(self) -> Rule:
        """What is wanted of them. Raises UsageError where two are given."""
        from vidstyle.core.errors import UsageError

        asked: dict[Rule, bool] = {
            "redo": self.redo,
            "keep": self.keep,
            "overwrite": self.overwrite,
        }
        chosen = [rule for rule, wanted in asked.items() if wanted]
        if len(chosen) > 1:
            raise UsageError(f"give one of {', '.join(f'--{rule}' for rule in chosen)}")
        return chosen[0] if chosen else "refuse"


@dataclass(frozen=True, kw_only=True)
class ComputationOptions:
    """Where and within which limits a clip is computed."""

    TITLE: ClassVar = "Computation"

    device: given.Device = "auto"
    max_memory: given.MaxMemory = "4G"
    cache: given.Cache = None
    cache_size: given.CacheSize = 20.0
    split_shots: given.SplitShots = None
    timeout: given.Timeout = 1800.0

    def job_maker(self, pipeline: Pipeline, interval: Interval) -> Callable[[Path, Path], Job]:
        """Makes the job of a clip from its input and output."""
        from vidstyle.runner.job import Job
        from vidstyle.runner.plan.memory import parse_size

        budget = parse_size(self.max_memory, "--max-memory")

        def make(source: Path, destination: Path) -> Job:
            return Job(
                pipeline,
                source,
                destination,
                self.device,
                interval,
                split_shots=self.split_shots,
                timeout=self.timeout,
                budget=budget,
                cache=self.cache,
                cache_limit=int(self.cache_size * 2**30),
            )

        return make


def changes_of(
    set_: Sequence[str] | None, *groups: StyleOptions | FrameOptions | CodecOptions
) -> list[Change]:
    """What ``--set`` and the groups change in a pipeline, in the order in which it applies."""
    return [*(set_ or []), *(change for group in groups for change in group.changes())]


def _text_of(number: float | None) -> str | None:
    """``2`` for 2.0, as a user types it."""
    if number is None:
        return None
    return str(int(number)) if number.is_integer() else str(number)


def _check_style(style: str) -> None:
    """Refuse what can be no style, with what to write instead."""
    from vidstyle.core.paths import is_file
    from vidstyle.runner.config.suggest import abbreviate
    from vidstyle.runner.plan.naming import is_clip_name

    shown = f"--style {abbreviate(style)}"
    if style.lstrip().startswith("{"):
        raise typer.BadParameter(
            f"{shown}: a mapping is written --set 'stylize.style={abbreviate(style)}'"
        )
    if is_file(Path(style)):
        if is_clip_name(style):
            raise typer.BadParameter(f"{shown} is a video; name a style, a style file or an image")
        return
    for part in style.split(","):
        weight = re.fullmatch(r"[a-z0-9-]+:(.*)", part)
        if weight and not re.fullmatch(_WEIGHT, weight[1]):
            raise typer.BadParameter(f"{shown}: {weight[1] or 'nothing'} is no weight; write 0.5")


def _mix_of(style: str) -> str | dict[str, float]:
    """``a:0.7,b:0.3`` as weights by name; anything else is one name or file."""
    parts = [re.fullmatch(rf"(.+):({_WEIGHT})", part) for part in style.split(",")]
    matches = [part for part in parts if part]
    if len(parts) < 2 or len(matches) < len(parts):
        return style
    weights = {part[1]: float(part[2]) for part in matches}
    if len(weights) < len(matches):
        raise typer.BadParameter(f"--style {style}: a style occurs twice; add up its weights")
    return weights
