"""How the text of options that several commands take becomes values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vidstyle.cli.terminal import say_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vidstyle.runner.config.changes import Change
    from vidstyle.runner.config.discovery import Registry
    from vidstyle.runner.config.pipeline import Pipeline
    from vidstyle.runner.interval import Indices, Interval


def registry_of(plugins: list[Path] | None) -> Registry:
    """Built-in stages, installed ones, and those of the folders that the user names."""
    from vidstyle.runner.config.discovery import Registry, folders_from_environment

    return Registry([*folders_from_environment(), *(plugins or [])])


def pipeline_of(
    file: Path,
    overrides: Sequence[Change],
    *,
    plugins: list[Path] | None = None,
    suffix: str = "",
) -> Pipeline:
    """The validated pipeline with the command line's changes, and a writer for the output.

    What of the pipeline does not fit the output is printed as notes.
    """
    from vidstyle.runner.config.pipeline import load_pipeline

    loaded = load_pipeline(
        file,
        registry=registry_of(plugins),
        overrides=overrides,
        suffix=suffix,
    )
    for note in loaded.notes:
        say_note(note)
    return loaded


def interval_of(frames: str | None) -> Interval:
    """``--frames``: ``A:B``, ``A:`` or ``:B`` in frame numbers or times."""
    from vidstyle.core.errors import UsageError
    from vidstyle.runner.interval import parse_interval

    if frames is None:
        return 0, None
    try:
        return parse_interval(frames)
    except UsageError as error:
        raise typer.BadParameter(f"--frames {error}") from error


def indices_of(frames: str | None, path: Path) -> Indices:
    """``--frames`` as frame numbers of a clip."""
    from vidstyle.runner.interval import indices_on

    indices, notes = indices_on(interval_of(frames), path)
    for note in notes:
        say_note(note.text)
    return indices


def jobs_of(text: str) -> int | None:
    """``--jobs``; None for auto."""
    if text == "auto":
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text) or not int(text):
        raise typer.BadParameter(f"--jobs {text}: wanted auto, or a number such as 4")
    return int(text)


def check_new(path: Path, *, overwrite: bool, inputs: Iterable[Path]) -> None:
    """Check an output before the work, not after it.

    Raises OutputError where the file is there already or its folder is not, and UsageError
    where it is one of the command's inputs.
    """
    from vidstyle.runner.storage.destination import Destination

    for source in inputs:
        Destination(path, overwrite).check(source)
