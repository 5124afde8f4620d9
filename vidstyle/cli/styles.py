"""``vidstyle styles``: the styles, and how to train and import more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.command_options import as_command
from vidstyle.cli.json_output import put_json
from vidstyle.cli.style_exchange import export, import_
from vidstyle.cli.style_preview import preview
from vidstyle.cli.style_train import SECTIONS, train
from vidstyle.cli.terminal import answer, print_table


def register(app: typer.Typer) -> None:
    styles = typer.Typer(
        help="List, preview, train, import and export styles.", no_args_is_help=True
    )
    styles.command("list")(list_)
    styles.command("preview")(preview)
    styles.command("train")(as_command(train, SECTIONS))
    styles.command("import")(import_)
    styles.command("export")(export)
    app.add_typer(styles, name="styles")


def list_(json: given.Json = False) -> None:
    """List all styles with their network, style loss, error of 8 bits and style image."""
    from vidstyle.models.style.styles import list_styles

    found = [_described(name, path) for name, path in list_styles().items()]
    if json:
        put_json(found)
        return
    _print_table(found)


def _described(name: str, path: Path) -> dict[str, Any]:
    """A style as JSON values; of a broken one, the reason."""
    from vidstyle.core.errors import WeightsError
    from vidstyle.models.style.style_file import read_style_info

    try:
        info = read_style_info(path)
    except WeightsError as error:
        return {"name": name, "file": str(path), "broken": str(error)}
    return {
        "name": name,
        "file": str(path),
        "title": info.credit.title,
        "style_image": info.credit.style_image,
        "license": info.credit.license,
        "architecture": f"{info.architecture}-{info.width}",
        "bytes": path.stat().st_size,
        "losses": dict(info.losses),
        "int8_error": info.int8_error,
    }


def _print_table(styles: Iterable[Mapping[str, Any]]) -> None:
    """On standard output; the long text comes last, where it may take several lines."""
    titles = ("name", "network", "style loss", "8 bits", "style image")
    print_table(titles, map(_row, styles), right={"style loss", "8 bits"})
    answer("")
    answer("Style loss: 1 for an untouched photo; lower is closer to the style image.")
    answer("8 bits: mean difference, of 255. Up to 2, processors with VNNI use them.")
    answer("Styles of the same network can be mixed.")


def _row(style: Mapping[str, Any]) -> tuple[str, ...]:
    if "broken" in style:
        return style["name"], "", "", "", f"BROKEN: {style['broken']}"
    style_image = style["style_image"] or style["title"]
    suffix = f" ({style['license']})" if style["license"] else ""
    loss, error = style["losses"].get("style"), style["int8_error"]
    return (
        style["name"],
        style["architecture"],
        "" if loss is None else f"{loss:.3f}",
        "" if error is None else f"{255 * error:.2f}",
        f"{style_image}{suffix}",
    )
