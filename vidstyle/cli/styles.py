"""``vidstyle styles``: what there is to paint in, and how to make more."""

from __future__ import annotations

import json as json_module
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidstyle.cli import shared_options as given

if TYPE_CHECKING:
    from vidstyle.training.loop import Progress

_SAY_EVERY_SECONDS = 10.0


def register(app: typer.Typer) -> None:
    styles = typer.Typer(help="List and train styles.", no_args_is_help=True)
    styles.command("list")(list_)
    styles.command("train")(train)
    app.add_typer(styles, name="styles")


def list_(json: given.Json = False) -> None:
    """All styles that can be named."""
    from vidstyle.models.styles import list_styles

    found = [_described(name, path) for name, path in list_styles().items()]
    if json:
        print(json_module.dumps(found))
        return
    width = max((len(str(style["name"])) for style in found), default=0)
    for style in found:
        print(f"{style['name']:{width}}  {_line(style)}")


def _described(name: str, path: Path) -> dict[str, str]:
    """What is told of a style; of a broken one, the reason."""
    from vidstyle.core.errors import WeightsError
    from vidstyle.models.style_file import read_style_info

    try:
        info = read_style_info(path)
    except WeightsError as error:
        return {"name": name, "file": str(path), "broken": str(error)}
    return {
        "name": name,
        "file": str(path),
        "title": info.credit.title,
        "painting": info.credit.painting,
        "licence": info.credit.licence,
        "architecture": f"{info.architecture}-{info.width}",
    }


def _line(style: dict[str, str]) -> str:
    if "broken" in style:
        return f"BROKEN: {style['broken']}"
    details = [style["painting"] or style["title"], style["licence"], style["architecture"]]
    return "; ".join(detail for detail in details if detail)


def train(
    painting: Annotated[Path, typer.Argument(help="A picture of the style.", metavar="PAINTING")],
    photos: Annotated[Path, typer.Option(help="A folder of photos to train on.", metavar="DIR")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The style file to make.", metavar="FILE")
    ],
    weights: Annotated[
        Path | None,
        typer.Option(help="The folder with VGG19; otherwise VIDSTYLE_WEIGHTS.", metavar="DIR"),
    ] = None,
    iterations: Annotated[int, typer.Option(min=1, help="Steps of the training.")] = 5000,
    width: Annotated[int, typer.Option(min=1, max=128, help="Channels of the network.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another result.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from FILE's checkpoint, if there is one.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
    title: Annotated[str, typer.Option(help="Of the style, for people.")] = "",
    credit: Annotated[str, typer.Option(help="Artist, title and year of the painting.")] = "",
    licence: Annotated[str, typer.Option(help="Of the painting.")] = "",
) -> None:
    """Train a style from a painting: minutes to hours, and resumable."""
    from vidstyle.core.errors import OutputError

    if output.exists() and not overwrite:
        raise OutputError(f"{output} exists; pass --overwrite to replace it")
    if not output.parent.is_dir():
        raise OutputError(f"the folder {output.parent} does not exist; make it first")
    from vidstyle.models.style_file import Credit
    from vidstyle.training.loop import train_style
    from vidstyle.training.settings import Settings

    info = train_style(
        Settings(iterations=iterations, width=width, seed=seed),
        painting=painting,
        photos=photos,
        destination=output,
        credit=Credit(title or output.stem, credit, licence),
        weights=weights,
        resume=resume,
        progress=_teller(),
    )
    losses = ", ".join(f"{name} {value:.3f}" for name, value in info.losses.items())
    print(f"held-out photos: {losses}\nwrote {output}", file=sys.stderr)


def _teller() -> Callable[[Progress], None]:
    """A line now and then: how far, how well, how long still."""
    started = last = time.perf_counter()
    first: int | None = None

    def tell(progress: Progress) -> None:
        nonlocal last, first
        now = time.perf_counter()
        first = progress.iteration - 1 if first is None else first
        if now - last < _SAY_EVERY_SECONDS and progress.iteration < progress.iterations:
            return
        last = now
        pace = (now - started) / (progress.iteration - first)
        left = round(pace * (progress.iterations - progress.iteration))
        losses = ", ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
        print(
            f"{progress.iteration} of {progress.iterations}, {left // 60}:{left % 60:02} left,"
            f" {losses}",
            file=sys.stderr,
            flush=True,
        )

    return tell
