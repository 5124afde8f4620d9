"""Options of ``vidstyle compare``: how clips stand beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias

import typer

if TYPE_CHECKING:
    from vidstyle.stages.filter.compare import CompareOptions

LayoutName: TypeAlias = Literal["side-by-side", "stacked", "grid", "split", "difference"]
# More clips than this are a grid, unless a layout is given.
_LONGEST_ROW = 3


@dataclass(frozen=True, kw_only=True)
class LayoutOptions:
    """How clips stand beside one another."""

    TITLE: ClassVar = "Layout"

    layout: Annotated[
        LayoutName | None,
        typer.Option(
            help="A row, a column, a grid, two clips split by a line, or the difference of two."
            " Without it a row, or a grid of four clips and more."
        ),
    ] = None
    labels: Annotated[
        list[str] | None,
        typer.Option(
            help="A text for each clip, in place of the names of the files. Given once for each"
            " clip, a text may have commas.",
            metavar="TEXT,TEXT",
        ),
    ] = None
    no_labels: Annotated[bool, typer.Option("--no-labels", help="Write no text.")] = False
    split: Annotated[
        float | None,
        typer.Option(
            help="Where the line stands, 0 to 1. Without it, it moves across and back in a video,"
            " and stands in the middle of an image.",
            min=0,
            max=1,
            metavar="X",
        ),
    ] = None
    gain: Annotated[
        float | None,
        typer.Option(help="Factor of a difference. Without it 4.", min=0.01, max=1000, metavar="X"),
    ] = None
    size: Annotated[
        str | None,
        typer.Option(
            help="Size of each clip, such as 1280x720, 720p (the shorter side) or 50%.",
            metavar="SIZE",
        ),
    ] = None

    def typed(self) -> dict[str, object]:
        """What the user gave, by option."""
        values = {f"--{field.name.replace('_', '-')}": field.name for field in fields(self)}
        return {name: getattr(self, field) for name, field in values.items()}

    def for_clips(self, clips: Sequence[Path]) -> CompareOptions:
        """The stage's options but for its clips.

        Raises UsageError for what does not go together.
        """
        from vidstyle.core.errors import UsageError
        from vidstyle.imaging.layouts import PAIRS
        from vidstyle.stages.filter.compare import CompareOptions

        layout = self.layout or ("side-by-side" if len(clips) <= _LONGEST_ROW else "grid")
        if layout in PAIRS and len(clips) != 2:
            raise UsageError(f"--layout {layout} takes two clips, got {len(clips)}")
        values: dict[str, Any] = {"layout": layout}
        for name, value, wanted in (
            ("split", self.split, "split"),
            ("gain", self.gain, "difference"),
        ):
            if value is not None and layout != wanted:
                raise UsageError(f"--{name} needs --layout {wanted}")
            if value is not None:
                values[name] = value
        if self.labels and self.no_labels:
            raise UsageError("give one of --labels, --no-labels")
        if not self.no_labels:
            values["labels"] = _labels_of(clips, self.labels)
        return CompareOptions(**values)


def _labels_of(clips: Sequence[Path], labels: Sequence[str] | None) -> tuple[str, ...]:
    """Those that are given, or the names of the files: as short as tells them apart."""
    from vidstyle.core.errors import UsageError

    if labels:
        # More than one is one for each clip: such a text may have commas.
        given = labels if labels[1:] else labels[0].split(",")
        texts = tuple(text.strip() for text in given)
        if len(texts) != len(clips):
            counted = f"{len(texts)} label{'s' if texts[1:] else ''}"
            raise UsageError(
                f"--labels {' --labels '.join(labels)}: {counted} for {len(clips)} clips; give one"
                " for each, with commas between, or --labels for each"
            )
        return texts
    return tuple(_names_of([path.absolute() for path in clips]))


def _names_of(paths: Sequence[Path]) -> list[str]:
    """Names without suffix, with it, or with their folder where that tells clips apart."""
    forms = (
        [path.name if path.is_dir() else path.stem for path in paths],
        [path.name for path in paths],
        [f"{path.parent.name}/{path.name}" for path in paths],
    )
    names = list(forms[0])
    for name in set(names):
        alike = [at for at, other in enumerate(names) if other == name]
        most = max(len({form[at] for at in alike}) for form in forms)
        # One file that is named twice has one name.
        form = next(form for form in forms if len({form[at] for at in alike}) == most)
        for at in alike:
            names[at] = form[at]
    return names
