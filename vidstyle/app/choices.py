"""What can be chosen on the page: fixed lists, of which a browser sends a line at most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from vidstyle.app.samples import sample_clips, sample_photos, sample_style_images
from vidstyle.app.tasks import STYLIZED
from vidstyle.core.clip import Clip
from vidstyle.core.errors import InputError, PipelineError, PluginError, UsageError, WeightsError
from vidstyle.core.paths import IMAGE_SUFFIXES
from vidstyle.imaging.photo_file import image_files
from vidstyle.models.loss.backbone_table import BACKBONES, BackboneName
from vidstyle.models.loss.loss_options import choose_backbone
from vidstyle.models.style.style_file import read_style_info
from vidstyle.models.style.styles import list_styles
from vidstyle.models.weights.catalog import CATALOG
from vidstyle.models.weights.places import locate_weights
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.shipped import pipeline_summary
from vidstyle.runner.job import output_suffix
from vidstyle.stages.flow.raft import RaftOptions

_MOST_IMAGES = 1000
_SUFFIX = Path(STYLIZED).suffix
_FIRST_STYLE = "great-wave"
# Our own pipelines, for people who do not know them, in the order in which they are shown.
_SHIPPED = {
    "temporal": ("Temporally consistent", "Each frame keeps what the last one showed."),
    "temporal-quality": ("Most consistent", "Follows motion more closely. Slow."),
    "keep-colors": ("In its own colors", "Only light and dark are stylized."),
    "large-strokes": ("Large strokes", "Strokes grow with the clip, and large clips are fast."),
    "preview": ("Quick look", "Half the size, and fast."),
    "per-frame": ("Frame by frame", "Each frame for itself: fast, and it flickers."),
}
_ANY_CLIP = Clip(width=640, height=360, time_base=Fraction(1, 25))


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """What the page is started with."""

    pipelines: Path
    """The folder of pipelines that can be chosen."""
    images: Path | None = None
    """The folder of photos that can be chosen; None for those that ship."""
    style_images: Path | None = None
    """The folder of style images, likewise."""
    max_upload: int = 512 * 2**20
    """Bytes of an upload at most."""
    most_waiting: int = 8
    """Jobs that may wait for the one that runs."""
    grace_seconds: float = 8.0
    """After which a tab that is not connected any more counts as closed."""


@dataclass(frozen=True, slots=True)
class ListEntry:
    """A line of a list."""

    title: str
    path: Path
    about: str = ""
    """A sentence for people who do not know it."""


@dataclass(frozen=True, slots=True)
class Choices:
    """All lists of the page."""

    images: tuple[ListEntry, ...]
    style_images: tuple[ListEntry, ...]
    learnable: tuple[ListEntry, ...]
    """Style images that styles for clips can be learned from: ours have been."""
    clips: tuple[ListEntry, ...]
    styles: tuple[ListEntry, ...]
    pipelines: tuple[ListEntry, ...]


@dataclass(frozen=True, slots=True)
class NetworkWeights:
    """The weights of a network that is not vidstyle's own."""

    name: str
    is_here: bool
    """Whether they lie on this machine."""
    mebibytes: float
    """Which else have to be downloaded."""
    server: str
    """Where they are downloaded from."""


def find_choices(settings: PageSettings) -> Choices:
    """Look for all that can be chosen.

    Raises InputError for a folder of images that is not there or has none, and UsageError where
    there is no pipeline, and WeightsError where there is no style.
    """
    images = _images(settings.images, "--images")
    style_images = _images(settings.style_images, "--styles")
    return Choices(
        images=images or _listed(sample_photos()),
        style_images=style_images or _listed(sample_style_images()),
        learnable=style_images,
        clips=_listed(sample_clips()),
        styles=_styles(),
        pipelines=_pipelines(settings.pipelines),
    )


def find_loss_networks() -> dict[BackboneName, NetworkWeights]:
    """The loss networks by name; those whose weights are on this machine come first.

    They may come while the page is open, so that this is asked for whenever it is shown.
    """
    found = {
        name: _network(name)
        for name, row in BACKBONES.items()
        if not row.model.startswith("timm:") or find_spec("timm")
    }
    return dict(sorted(found.items(), key=lambda item: not item[1].is_here))


def find_learning_network() -> NetworkWeights:
    """The one that styles are learned with: its weights may have to be downloaded first."""
    return _network(choose_backbone(None))


def find_flow_network(pipeline: Path) -> NetworkWeights | None:
    """The one that a pipeline computes flow with; None where it needs none, or names its file."""
    for stage in load_pipeline(pipeline, registry=Registry()).stages:
        if isinstance(stage.options, RaftOptions) and stage.options.weights is None:
            return _network(f"raft-{stage.options.model}")
    return None


def _network(name: str) -> NetworkWeights:
    entry = CATALOG[name]
    server = urlsplit(entry.address).netloc
    return NetworkWeights(name, locate_weights(entry) is not None, entry.mebibytes, server)


def _listed(samples: Mapping[str, Path]) -> tuple[ListEntry, ...]:
    return tuple(ListEntry(title, path) for title, path in samples.items())


def _images(folder: Path | None, option: str) -> tuple[ListEntry, ...]:
    if folder is None:
        return ()
    try:
        files = image_files(folder)
    except OSError as error:
        raise InputError(f"{option} {folder}: cannot be read ({error.strerror})") from error
    if not files:
        raise InputError(f"{option} {folder}: has no images ({', '.join(sorted(IMAGE_SUFFIXES))})")
    titles = Counter(_title(path.stem) for path in files)
    return tuple(
        ListEntry(title if titles[title := _title(path.stem)] == 1 else path.name, path)
        for path in files[:_MOST_IMAGES]
    )


def _styles() -> tuple[ListEntry, ...]:
    found = []
    for name, path in list_styles().items():
        try:
            info = read_style_info(path)
        except WeightsError:
            # One that is broken is listed by `vidstyle styles list`, with the reason.
            continue
        title = info.credit.title or _title(name)
        found.append((name, ListEntry(title, path, info.credit.style_image)))
    if not found:
        raise WeightsError("there are no styles: install vidstyle again, or name VIDSTYLE_WEIGHTS")
    return tuple(choice for _, choice in sorted(found, key=lambda one: one[0] != _FIRST_STYLE))


def _pipelines(folder: Path) -> tuple[ListEntry, ...]:
    order = list(_SHIPPED)
    files = [path for path in sorted(folder.glob("*.yaml")) if _stylizes_clips(path)]
    files.sort(key=lambda path: order.index(path.stem) if path.stem in order else len(order))
    if not files:
        raise UsageError(f"no pipeline in {folder} stylizes a clip: name a folder with --pipelines")
    described = {
        path: _SHIPPED.get(path.stem) or (_title(path.stem), pipeline_summary(path))
        for path in files
    }
    return tuple(ListEntry(title, path, about) for path, (title, about) in described.items())


def _stylizes_clips(path: Path) -> bool:
    """Whether its output is a video that browsers play, in a style that can be chosen."""
    try:
        pipeline = load_pipeline(path, registry=Registry())
    except (PipelineError, PluginError, WeightsError):
        # `vidstyle check` says what is wrong with it.
        return False
    stylizers = [stage.use for stage in pipeline.stages if stage.kind == "stylize"]
    if stylizers != ["stylize/feedforward"] or output_suffix(pipeline) != _SUFFIX:
        return False
    filters = [stage for stage in pipeline.stages if stage.kind == "filter"]
    try:
        for stage in filters:
            # Some want a file that the page has no field for, such as a mask.
            stage.cls(stage.options).describe(_ANY_CLIP)
    except (PipelineError, PluginError, WeightsError):
        return False
    return True


def _title(stem: str) -> str:
    words = stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
