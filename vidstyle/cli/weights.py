"""``vidstyle weights``: weights of third-party networks."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.completion import complete_weights
from vidstyle.cli.json_output import put_json
from vidstyle.cli.terminal import print_table, say, visible
from vidstyle.cli.waiting import show_waiting

if TYPE_CHECKING:
    from vidstyle.models.weights.catalog import WeightFile
    from vidstyle.models.weights.download import ReportBytes

_COLUMNS = ("name", "size", "license", "from", "folder")
_Offline = Annotated[
    bool, typer.Option("--offline", help="Never download; print where to put a missing file.")
]


def register(app: typer.Typer) -> None:
    weights = typer.Typer(
        help="List, download and verify third-party weights.", no_args_is_help=True
    )
    weights.command("list")(list_)
    weights.command("pull")(pull)
    weights.command("verify")(verify)
    app.add_typer(weights, name="weights")


def list_(json: given.Json = False) -> None:
    """List all weights with their license, size and local folder.

    --json adds addresses and checksums.
    """
    from vidstyle.models.weights.catalog import CATALOG

    rows = [_described(entry) for entry in CATALOG.values()]
    if json:
        put_json(rows)
        return
    _print_table(rows)


def pull(
    names: Annotated[
        list[str],
        typer.Argument(
            help="Names from `vidstyle weights list`.",
            metavar="NAME...",
            autocompletion=complete_weights,
        ),
    ],
    offline: _Offline = False,
    json: given.Json = False,
) -> None:
    """Download weights from their official address into the cache.

    Every file is checked by its SHA-256; a wrong file in the cache is replaced. An interrupted
    download is resumed. --json prints the bytes as they arrive.
    """
    from vidstyle.models.weights.listing import find_entry, pull_weights

    for entry in [find_entry(name) for name in names]:
        with _progress(entry.name, as_json=json) as report:
            found = pull_weights(entry, offline=offline, report=report)
        if json:
            row = {"name": entry.name, "file": str(found.path), "fetched": found.is_new}
            put_json(row)
        else:
            say(f"{entry.name}: {'downloaded' if found.is_new else 'found'}: {found.path}")


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Names; default: all local weights.",
            metavar="[NAME]...",
            autocompletion=complete_weights,
        ),
    ] = None,
    json: given.Json = False,
) -> None:
    """Compare the SHA-256 of local weights with the published one."""
    from vidstyle.core.errors import WeightsError
    from vidstyle.models.weights.listing import check_weights

    bad: list[Path] = []
    for entry, path in _present(names):
        with show_waiting(f"{entry.name}: computing the SHA-256 ...", as_json=json):
            result = check_weights(entry, path)
        if not result.passed:
            bad.append(path)
        if json:
            row = {
                "name": entry.name,
                "file": str(path),
                "sha256": result.sha256,
                "status": result.status,
            }
            put_json(row)
        else:
            print(visible(f"{result.status:9} {entry.name}: {path} (sha256 {result.sha256})"))
    if bad:
        raise WeightsError(
            f"not the right file: {', '.join(map(str, bad))}: remove it, and run `vidstyle weights"
            " pull`"
        )


def _present(names: Sequence[str] | None) -> list[tuple[WeightFile, Path]]:
    """The local files. Raises WeightsError where a named one is missing."""
    from vidstyle.core.errors import WeightsError
    from vidstyle.models.weights.catalog import CATALOG
    from vidstyle.models.weights.listing import find_entry
    from vidstyle.models.weights.places import locate_weights

    found = []
    for entry in [find_entry(name) for name in names or CATALOG]:
        if path := locate_weights(entry):
            found.append((entry, path))
        elif names:
            raise WeightsError(
                f"the weights of {entry.name} are missing: run `vidstyle weights pull {entry.name}`"
            )
    if not found:
        say("There are no local weights. `vidstyle weights list` lists all.")
    return found


def _described(entry: WeightFile) -> dict[str, Any]:
    from vidstyle.models.weights.places import locate_weights

    there = locate_weights(entry)
    return {
        "name": entry.name,
        "address": entry.address,
        "file": entry.file,
        "mebibytes": entry.mebibytes,
        "license": entry.license,
        "sha256": entry.digits,
        "lies_at": str(there) if there else None,
    }


def _print_table(rows: Iterable[dict[str, Any]]) -> None:
    cells = [
        (
            row["name"],
            f"{row['mebibytes']:.0f} MiB",
            row["license"],
            urlsplit(row["address"]).netloc,
            _folder(row["lies_at"]),
        )
        for row in rows
    ]
    print_table(_COLUMNS, cells, right={"size"})


def _folder(file: str | None) -> str:
    if file is None:
        return "-"
    folder = Path(file).parent
    # Path.home raises for a user without a home.
    with suppress(RuntimeError):
        if folder.is_relative_to(home := Path.home()):
            folder = "~" / folder.relative_to(home)
    return str(folder)


@contextmanager
def _progress(name: str, *, as_json: bool) -> Generator[ReportBytes | None, None, None]:
    """A bar of bytes on a terminal, or lines of JSON; else the download's log line is enough."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if as_json:
        yield partial(_print_bytes, name)
        return
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    with Progress(
        "{task.description}",
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task(name, total=None)
        yield lambda there, whole: bar.update(task, completed=there, total=whole)


def _print_bytes(name: str, there: int, whole: int | None) -> None:
    row = {"event": "download", "name": name, "bytes": there, "total": whole}
    put_json(row)
