"""``vidstyle weights``: networks of others that vidstyle works with."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from vidstyle.cli import shared_options as given
from vidstyle.cli.terminal import say, table_width, visible

if TYPE_CHECKING:
    from vidstyle.models.weights.catalog import WeightFile
    from vidstyle.models.weights.download import ReportBytes

_COLUMNS = ("name", "size", "license", "sha256", "from", "lies in")
_Offline = Annotated[
    bool, typer.Option("--offline", help="Download nothing; say where the file is to be put.")
]


def register(app: typer.Typer) -> None:
    weights = typer.Typer(
        help="List, fetch and check the weights of others' networks.", no_args_is_help=True
    )
    weights.command("list")(list_)
    weights.command("pull")(pull)
    weights.command("verify")(verify)
    app.add_typer(weights, name="weights")


def list_(json: given.Json = False) -> None:
    """All weights that can be fetched: whose, how large, and where they lie if they are here.

    With --json, whole addresses and files.
    """
    from vidstyle.models.weights.catalog import CATALOG

    rows = [_described(entry) for entry in CATALOG.values()]
    if json:
        print(json_module.dumps(rows))
        return
    _print_table(rows)


def pull(
    names: Annotated[
        list[str], typer.Argument(help="Names of `vidstyle weights list`.", metavar="NAME...")
    ],
    offline: _Offline = False,
    json: given.Json = False,
) -> None:
    """Fetch weights from their official address into the cache, unless they are here.

    What is fetched is checked, and so is what is here: a wrong file in the cache is fetched anew.
    A download that was cut goes on where it ended.
    """
    from vidstyle.models.weights.listing import find_entry, pull_weights

    for entry in [find_entry(name) for name in names]:
        with _progress(entry.name, quiet=json) as report:
            found = pull_weights(entry, offline=offline, report=report)
        if json:
            row = {"name": entry.name, "file": str(found.path), "fetched": found.is_new}
            print(json_module.dumps(row), flush=True)
        else:
            say(f"{entry.name}: {'fetched' if found.is_new else 'is there already'}: {found.path}")


def verify(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Names; without any, all that are here.", metavar="[NAME]..."),
    ] = None,
    json: given.Json = False,
) -> None:
    """Read the weights that are here and compare their SHA-256 with the published one."""
    from vidstyle.core.errors import WeightsError
    from vidstyle.models.weights.listing import check_weights

    bad: list[Path] = []
    for entry, path in _present(names):
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
            print(json_module.dumps(row), flush=True)
        else:
            print(visible(f"{result.status:9} {entry.name}: {path} (sha256 {result.sha256})"))
    if bad:
        raise WeightsError(
            f"not the right file: {', '.join(map(str, bad))}: remove it, and run `vidstyle weights"
            " pull`"
        )


def _present(names: Sequence[str] | None) -> list[tuple[WeightFile, Path]]:
    """What is here; of those that are named, all. Raises WeightsError where one is not."""
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
                f"the weights of {entry.name} are not here: run `vidstyle weights pull"
                f" {entry.name}`"
            )
    if not found:
        say("no weights are here: `vidstyle weights list` says what there is")
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
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in _COLUMNS:
        table.add_column(title, overflow="fold", justify="right" if title == "size" else "left")
    for row in rows:
        digits = f"{row['sha256']}…" if row["sha256"] else "unknown"
        size = f"{row['mebibytes']:.0f} MiB"
        host = urlsplit(row["address"]).netloc
        table.add_row(row["name"], size, row["license"], digits, host, _folder(row["lies_at"]))
    # A folder's name means nothing but itself.
    console = Console(width=table_width(sys.stdout), highlight=False, markup=False)
    console.print(table, crop=False)


def _folder(file: str | None) -> str:
    if file is None:
        return "-"
    folder = Path(file).parent
    # A user without a home has no short name for it.
    with suppress(RuntimeError):
        if folder.is_relative_to(home := Path.home()):
            folder = "~" / folder.relative_to(home)
    return visible(str(folder))


@contextmanager
def _progress(name: str, *, quiet: bool) -> Generator[ReportBytes | None, None, None]:
    """A bar of bytes on a terminal; elsewhere the announcement of the download is enough."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if quiet or not console.is_terminal:
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
