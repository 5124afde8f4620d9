"""Styles and networks of other projects that are compared, by the style image they are of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vidstyle.core.errors import UsageError
from vidstyle.models.style.style_file import SUFFIX, Credit, save_style
from vidstyle.models.style.style_import import import_style
from vidstyle.models.style.styles import find_style, shipped_styles
from vidstyle.models.weights.safetensors_file import read_metadata
from vidstyle.training.photos import list_photos


@dataclass(frozen=True, eq=False)
class ComparedStyle:
    """A style, or a peer that it is compared with, and what was measured of it."""

    group: str
    """The style image's name; styles and peers of one are compared."""
    label: str
    """The file's name without its ending; one of a kind in the group."""
    peer: bool
    """Whether another project trained it."""
    file: Path
    """A style file."""
    measured: dict[str, float] = field(default_factory=dict)
    """Numbers by name; whoever measures adds to them."""


def list_compared_styles(
    styles: Sequence[str] | None, peers: Sequence[str], folder: Path
) -> list[ComparedStyle]:
    """List what is compared, by style image: the styles first, then their peers.

    Args:
        styles: ``NAME``, ``FILE`` or ``NAME=FILE``, where NAME is the style image's; None for all
            that ship. Without NAME the file's name counts.
        peers: ``NAME=FILE``: styles, or checkpoints as ``import_style`` takes them.
        folder: Where the peers that are no style files become some.

    Returns:
        Styles and peers.

    Raises:
        UsageError: A peer has no style, or two networks of a group have one name.
        WeightsError: A file is missing, damaged or of an unknown layout.
    """
    found: dict[str, list[ComparedStyle]] = {}
    shipped = sorted(path.stem for path in shipped_styles().glob(f"*{SUFFIX}"))
    for text in styles or shipped:
        name, equals, file = text.partition("=")
        path = find_style(file if equals else text)
        group = name if equals else path.stem
        found.setdefault(group, []).append(ComparedStyle(group, path.stem, False, path))
    for text in peers:
        group, equals, file = text.partition("=")
        if not equals or group not in found:
            raise UsageError(
                f"the peer {text} belongs to none of the styles {', '.join(found)}: write NAME=FILE"
            )
        own = _as_style(Path(file), folder / f"{group}-{len(found[group])}{SUFFIX}")
        found[group].append(ComparedStyle(group, Path(file).stem, True, own))
    for group, networks in found.items():
        labels = [network.label for network in networks]
        if repeated := {label for label in labels if labels.count(label) > 1}:
            raise UsageError(
                f"two networks of {group} are named {', '.join(repeated)}: rename a file"
            )
    return [network for networks in found.values() for network in networks]


def _as_style(path: Path, imported: Path) -> Path:
    """The file itself where it is a style; what it is imported to otherwise."""
    if path.suffix == SUFFIX and "vidstyle" in read_metadata(path):
        return path
    style = import_style(path, name="peer", credit=Credit()).style
    save_style(imported, style.info, style.module)
    return imported


def find_style_images(
    groups: Iterable[str], written: Sequence[str], *, own: Path
) -> dict[str, Path]:
    """Find the style image of each group.

    Args:
        groups: Names.
        written: ``NAME=FILE``, or folders whose files have a group's name in their own:
            ``great_wave_hokusai.jpg`` for ``great-wave``.
        own: A folder that is looked into first; what is written counts more.

    Returns:
        Files by name.

    Raises:
        UsageError: A group has none.
    """
    names, found = list(groups), dict[str, Path]()
    folders = [Path(text) for text in written if Path(text).is_dir()]
    for path in (path for folder in (own, *folders) for path in list_photos(folder)):
        if name := name_within(path.stem, names):
            found[name] = path
    for text in written:
        name, equals, file = text.partition("=")
        if equals:
            found[name] = Path(file)
    if missing := [name for name in names if name not in found]:
        raise UsageError(f"no style image for {', '.join(missing)}: give --style-images NAME=FILE")
    return {name: found[name] for name in names}


def name_within(stem: str, names: Iterable[str]) -> str:
    """Find the longest of some names that a file's name has as whole words.

    Args:
        stem: The file's name without its ending.
        names: Of styles, with hyphens between words.

    Returns:
        The name; empty for none.
    """
    text = _words(stem)
    return max((name for name in names if _words(name) in text), key=len, default="")


def _words(name: str) -> str:
    return f"-{name}-".lower().replace("_", "-")
