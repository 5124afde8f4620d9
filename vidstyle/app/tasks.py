"""What the page runs: command lines of ``vidstyle``. Paths are ours; all else is of fixed lists."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from vidstyle.models.loss.backbone_table import BACKBONES, BackboneName
from vidstyle.models.weights.catalog import CATALOG
from vidstyle.models.weights.places import locate_weights
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.keyframes import options_to_json
from vidstyle.runner.config.pipeline import Pipeline, load_pipeline
from vidstyle.runner.interval import spread_evenly

# Files in a task's folder.
IMAGE: Final = "stylized.png"
PREVIEWS: Final = "previews"
_FRAMES: Final = "frame-*/*.png"
STYLIZED: Final = "stylized.mp4"
COMPARISON: Final = "comparison.html"
REPORT: Final = "flicker.html"
# Frames of a clip that can be compared on the page: videos of more take long to encode.
COMPARED_FRAMES: Final = 500
# Frames that are evaluated: ten seconds of most clips.
EVALUATED_FRAMES: Final = 250
# Frames from the start within which previews lie: those before them are decoded too.
_FARTHEST_PREVIEW: Final = 300

JsonLine: TypeAlias = Mapping[str, Any]
"""A line of JSON that a command has printed."""


@dataclass(frozen=True, slots=True)
class Command:
    """One call of ``vidstyle``."""

    title: str
    """What it does, for people."""
    arguments: tuple[str, ...]
    """All but ``--json``."""


Commands: TypeAlias = Generator[Command, JsonLine, None]
"""Commands in order; each is answered with its last line once it has succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoChoices:
    """What can be chosen for an image in a trained style. Names are as they are shown."""

    content: Path
    content_name: str
    style: Path
    style_name: str
    strength: float
    stroke_size: float | Literal["auto"]
    keep_colors: bool
    size: int | None
    """Of the shorter side in pixels, at most; None for the photo's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageChoices:
    """What can be chosen for an image after any style image, by optimization."""

    content: Path
    content_name: str
    style_image: Path
    style_name: str
    steps: int
    size: int
    """Longer side in pixels."""
    backbone: BackboneName
    layer_weights: tuple[float, ...]
    """Of the style layers, from fine to coarse, spread over as many as the backbone has."""
    weights: Mapping[str, float]
    """Of the loss terms, by option, such as ``style_weight``."""
    strength: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipChoices:
    """What can be chosen for a clip."""

    clip: Path
    clip_name: str
    pipeline: Path
    pipeline_name: str
    style: Path
    """A style file, or an image that it is learned from first."""
    style_name: str


Chosen: TypeAlias = PhotoChoices | ImageChoices | ClipChoices | str
"""What a task was made for; a download for a network by its name."""
Slot: TypeAlias = Literal["image", "preview", "clip", "evaluation", "download"]
"""A place on the page for jobs of one kind."""


@dataclass(frozen=True, slots=True)
class Task:
    """Commands that work in a folder of their own."""

    kind: Slot
    folder: Path
    chosen: Chosen
    inputs: tuple[Path, ...]
    """Files that it reads: they stay as long as the task's own folder."""
    commands: Callable[[], Commands]
    results: tuple[str, ...] = ()
    """Patterns of the files in its folder that somebody may want to keep, the best first."""

    def __repr__(self) -> str:
        return f"Task({self.kind}, {self.folder})"

    def result(self) -> Path | None:
        """The best file so far, the last of its pattern; None before there is one."""
        for pattern in self.results:
            if found := sorted(self.folder.glob(pattern)):
                return found[-1]
        return None


def download_task(folder: Path, name: str) -> Task:
    """Download the weights of a network of the catalog to the user's cache."""

    def commands() -> Commands:
        yield Command(f"Downloading {name}", ("weights", "pull", name))

    return Task("download", folder, name, (), commands)


def image_task(folder: Path, chosen: ImageChoices) -> Task:
    """Stylize an image by optimization; writes ``IMAGE``, and the image so far in ``PREVIEWS``."""

    def commands() -> Commands:
        files = (str(chosen.content), str(chosen.style_image), "-o", str(folder / IMAGE))
        numbers = {
            "--size": chosen.size,
            "--steps": chosen.steps,
            "--strength": chosen.strength,
            "--backbone": chosen.backbone,
            **{f"--{name.replace('_', '-')}": weight for name, weight in chosen.weights.items()},
        }
        options = [text for name, value in numbers.items() for text in (name, str(value))]
        if len(set(chosen.layer_weights)) > 1:
            options += ["--style-layers", _style_layers(chosen.backbone, chosen.layer_weights)]
        # Nothing is downloaded unasked: what is missing is downloaded by a task of its own.
        options += ["--offline", "--preview-every", "1", str(folder / PREVIEWS)]
        yield Command("Stylizing", ("image", *files, *options))

    inputs, results = (chosen.content, chosen.style_image), (IMAGE, f"{PREVIEWS}/step-*.png")
    return Task("image", folder, chosen, inputs, commands, results)


def preview_task(folder: Path, chosen: ClipChoices, *, count: int = 3) -> Task:
    """Stylize single frames of a clip, each as the first of a run; writes a folder each."""

    def commands() -> Commands:
        pipeline = _derive_pipeline(chosen.pipeline, folder, sink="encode/images")
        run = ("run", str(pipeline), str(chosen.clip), "--style", str(chosen.style))
        plan = yield Command("Reading the clip", (*run, "-o", str(folder / "plan"), "--dry-run"))
        length = min(plan["frame_count"] or 1, _FARTHEST_PREVIEW)
        for index in spread_evenly(length, count):
            output = ("-o", str(folder / f"frame-{index:06}"), "--frames", f"{index}:{index + 1}")
            yield Command("Stylizing single frames", (*run, *output))

    return Task("preview", folder, chosen, (chosen.clip, chosen.style), commands, (_FRAMES,))


def clip_task(folder: Path, chosen: ClipChoices) -> Task:
    """Stylize a clip; writes ``STYLIZED``, and ``COMPARISON`` to compare it by."""

    def commands() -> Commands:
        files = (str(chosen.pipeline), str(chosen.clip), "-o", str(folder / STYLIZED))
        yield Command("Stylizing", ("run", *files, "--style", str(chosen.style)))
        pair = (str(chosen.clip), str(folder / STYLIZED), "-o", str(folder / COMPARISON))
        frames = ("--frames", f"0:{COMPARED_FRAMES}")
        yield Command("Encoding the comparison", ("compare", *pair, *frames))

    return Task("clip", folder, chosen, (chosen.clip, chosen.style), commands, (STYLIZED,))


def evaluation_task(folder: Path, chosen: ClipChoices, stylized: Path) -> Task:
    """Evaluate a stylized clip beside a per-frame baseline; writes ``REPORT``."""

    def commands() -> Commands:
        temporal = ("shots", "flow", "blend")
        pipeline = _derive_pipeline(chosen.pipeline, folder, without=temporal)
        frames = ("--frames", f"0:{EVALUATED_FRAMES}")
        baseline = folder / "baseline.mp4"
        files = (str(pipeline), str(chosen.clip), "-o", str(baseline))
        style = ("--style", str(chosen.style))
        yield Command("Stylizing the per-frame baseline", ("run", *files, *style, *frames))
        clips = (str(chosen.clip), str(stylized), "--per-frame", str(baseline))
        options = ("--evaluator", _evaluator(chosen.pipeline), "--report", str(folder / REPORT))
        yield Command("Evaluating temporal consistency", ("evaluate", *clips, *frames, *options))
        baseline.unlink()

    inputs = (chosen.clip, chosen.style, stylized)
    return Task("evaluation", folder, chosen, inputs, commands, (REPORT,))


def _style_layers(backbone: BackboneName, weights: Sequence[float]) -> str:
    """``relu1_1=0.5,relu2_1=1``: weights on the line through the given ones, fine to coarse."""
    choices, weights_file = BACKBONES[backbone].choices, locate_weights(CATALOG[backbone])
    # Weights from elsewhere may end at any layer.
    whole = weights_file is None or weights_file.name == CATALOG[backbone].file
    layers = choices[0 if whole else -1].style
    places = np.linspace(0, len(weights) - 1, len(layers))
    values = np.interp(places, range(len(weights)), weights)
    return ",".join(f"{layer}={value:g}" for layer, value in zip(layers, values, strict=True))


def _evaluator(pipeline: Path) -> str:
    """A flow that is fast, and not the one of the pipeline itself."""
    used = {stage.use for stage in load_pipeline(pipeline, registry=Registry()).stages}
    return "dis" if "flow/farneback" in used else "farneback"


def _derive_pipeline(
    path: Path, folder: Path, *, without: Collection[str] = (), sink: str | None = None
) -> Path:
    """Write a pipeline without the stages of some kinds, or with another sink. Returns its path."""
    pipeline = load_pipeline(path, registry=Registry())
    stages = _stages(pipeline, without)
    if sink is not None:
        stages[-1] = {"use": sink}
    content = {
        "version": pipeline.version,
        "stages": stages,
        "inputs": {side.name: str(side.path.absolute()) for side in pipeline.inputs},
    }
    derived = folder / "pipeline.yaml"
    # JSON is YAML.
    derived.write_text(json.dumps({key: value for key, value in content.items() if value}))
    return derived


def _stages(pipeline: Pipeline, without: Collection[str]) -> list[dict[str, Any]]:
    return [
        {
            "use": stage.use,
            **{
                name: value
                for name, value in options_to_json(stage.options, stage.keyframes).items()
                if value is not None
            },
        }
        for stage in pipeline.stages
        if stage.kind not in without
    ]
