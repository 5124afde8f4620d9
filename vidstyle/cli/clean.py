"""``vidstyle clean``: what interrupted runs have left, and its removal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vidstyle.cli.terminal import answer

if TYPE_CHECKING:
    from vidstyle.runner.storage.partial_work import PartialWork


def register(app: typer.Typer) -> None:
    app.command("clean")(clean)


def clean(
    folder: Annotated[
        Path, typer.Argument(help="Searched with all folders inside.", metavar="[FOLDER]")
    ] = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Remove what is listed.")] = False,
) -> None:
    """List or remove what interrupted runs have left. Outputs and manifests stay."""
    from vidstyle.core.errors import InputError
    from vidstyle.runner.plan.memory import size_text
    from vidstyle.runner.storage.partial_work import find_partial_work, remove_unused

    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name one with outputs")
    works = find_partial_work(folder)
    if not works:
        answer(f"nothing to clean in {folder}")
        return
    removed = []
    for work in works:
        line = _line(work)
        if yes and remove_unused(work):
            removed.append(work)
        elif yes:
            line += ", in use by a run: left"
        answer(line)
    chosen = removed if yes else works
    results = f"{len(chosen)} partial result{'' if len(chosen) == 1 else 's'}"
    size = size_text(sum(work.size for work in chosen))
    advice = "removed" if yes else "`vidstyle clean --yes` removes them"
    answer(f"{results}, {size}: {advice}")


def _line(work: PartialWork) -> str:
    """``out/.vidstyle/clip-0123456789abcdef.work: 750 frames, 20 MiB, 3 days old``."""
    from vidstyle.runner.plan.memory import size_text

    frames = work.frames()
    count = {None: "no frames to be read", 1: "1 frame"}.get(frames, f"{frames} frames")
    days = int(work.days)
    age = "less than a day old" if days == 0 else f"{days} day{'s' if days > 1 else ''} old"
    return f"{work.path}: {count}, {size_text(work.size)}, {age}"
