"""``vidstyle styles preview``: images in styles, side by side on one sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidstyle.cli.option_values import check_new
from vidstyle.cli.terminal import say
from vidstyle.cli.waiting import show_waiting

if TYPE_CHECKING:
    from vidstyle.models.style.style_file import Style
    from vidstyle.training.watch import Image

_FORMATS = (".png", ".jpg", ".jpeg")


def preview(
    images: Annotated[list[Path], typer.Argument(help="Photos, one row each.", metavar="IMAGE...")],
    styles: Annotated[
        str | None,
        typer.Option(
            help="Names of `vidstyle styles list`, or style files; without it all of them.",
            metavar="A,B,...",
        ),
    ] = None,
    strengths: Annotated[
        str,
        typer.Option(
            help="Strengths of the stylization, from 0, the image as it is, to 1.",
            metavar="S,T,...",
        ),
    ] = "1",
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The sheet, PNG or JPEG.", metavar="SHEET")
    ] = Path("preview.png"),
    size: Annotated[
        int,
        typer.Option(min=16, help="Longer side in pixels at which images are stylized."),
    ] = 384,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Make a contact sheet of images in styles.

    Each image has a row, each style and strength a column. A row that is wider than 1920 pixels
    continues below.
    """
    from vidstyle.core.errors import UsageError

    chosen = _strengths(strengths)
    if output.suffix.lower() not in _FORMATS:
        raise UsageError(f"a sheet ends in {', '.join(_FORMATS)}: name {output.name} otherwise")
    check_new(output, overwrite=overwrite, inputs=images)
    from vidstyle.training.photos import read_photo
    from vidstyle.training.previews import fit_image, write_image

    with show_waiting("loading the styles ...") as waiting:
        photos = [fit_image(read_photo(path), size) for path in images]
        loaded = _styles(styles)
        shown = []
        for number, photo in enumerate(photos, 1):
            cells = [photo]
            for name, style in loaded.items():
                waiting.update(f"image {number} of {len(images)}, in the style {name} ...")
                cells += _stylized(photo, style, chosen)
            shown.append(tuple(cells))
        titles = [_title(name, strength, chosen) for name in loaded for strength in chosen]
        write_image(output, _sheet([path.name for path in images], shown, titles))
    say(f"wrote {output}")


def _sheet(
    names: Sequence[str], shown: Sequence[tuple[Image, ...]], titles: Sequence[str]
) -> Image:
    """A row for each image; where that is too wide, several, with the titles below."""
    from vidstyle.imaging.contact_sheet import SheetRow, columns_within, contact_sheet, wrap_row

    columns = columns_within(max(cells[0].shape[1] for cells in shown))
    if len(titles) < columns:
        rows = [SheetRow(name, cells) for name, cells in zip(names, shown, strict=True)]
        return contact_sheet(rows, ["original", *titles])
    labels = [title.replace("\nstrength", "") for title in titles]
    wrapped = [
        row
        for name, cells in zip(names, shown, strict=True)
        for row in wrap_row(cells, [name, *labels], columns)
    ]
    return contact_sheet(wrapped, [""] * columns)


def _strengths(text: str) -> tuple[float, ...]:
    from vidstyle.core.errors import UsageError

    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not values or not all(0 <= value <= 1 for value in values):
        raise UsageError(f"--strengths {text!r}: wanted numbers from 0 to 1, such as 0.5,1")
    return values


def _styles(names: str | None) -> dict[str, Style]:
    """Those that are named, in that order; of all of them, those that are not broken."""
    from vidstyle.core.errors import UsageError, WeightsError
    from vidstyle.models.style.style_file import load_style
    from vidstyle.models.style.styles import find_style, list_styles

    if names is not None:
        paths = [find_style(name.strip()) for name in names.split(",")]
        return {path.stem: load_style(path) for path in paths}
    found = {}
    for name, path in list_styles().items():
        try:
            found[name] = load_style(path)
        except WeightsError as error:
            say(f"left out: {error}")
    if not found:
        raise UsageError("there are no styles: name a style file with --styles")
    return found


def _title(name: str, strength: float, strengths: Sequence[float]) -> str:
    return name if strengths == (1.0,) else f"{name}\nstrength {strength:g}"


def _stylized(photo: Image, style: Style, strengths: Sequence[float]) -> Iterator[Image]:
    """A photo in a style, at each strength."""
    import torch

    from vidstyle.models.style.network import stylize
    from vidstyle.training.photos import to_tensor

    with torch.inference_mode():
        source = to_tensor(photo)
        stylized = stylize(style.module, source)
        for strength in strengths:
            mixed = torch.lerp(source, stylized, strength)[0].permute(1, 2, 0)
            yield (255.0 * mixed).round().to(torch.uint8).numpy()
