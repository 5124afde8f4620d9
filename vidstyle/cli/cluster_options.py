"""``--engine ray`` and ``--address``: frames are computed on a Ray cluster."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from vidstyle.runner.execution.engines import EngineName, engine_summaries

_RAY = "ray: On a Ray cluster; a clip is cut into runs of shots."

RunEngine = Annotated[
    Literal[EngineName, "ray"], typer.Option("--engine", help=f"{engine_summaries()} {_RAY}")
]
BatchEngine = Annotated[
    Literal["local", "ray"],
    typer.Option("--engine", help=f"local: In processes of this machine. {_RAY}"),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="With --engine ray: the cluster's head node. Without it a cluster is started on this"
        " machine, and ended afterwards.",
        metavar="HOST:PORT",
    ),
]


@contextmanager
def chosen_cluster(
    engine: str, address: str | None, cache: Path | None
) -> Generator[str | None, None, None]:
    """The address of the cluster that is to compute, open; None where this machine is.

    Raises UsageError where options contradict each other, and as ``open_cluster`` does.
    """
    from vidstyle.core.errors import UsageError

    if engine != "ray":
        if address is not None:
            raise UsageError("--address goes with --engine ray")
        yield None
        return
    if cache is not None:
        raise UsageError("--cache is a folder of this machine; leave it out with --engine ray")
    from vidstyle.runner.execution.ray_cluster import open_cluster

    with open_cluster(address) as cluster:
        yield cluster
