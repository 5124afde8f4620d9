"""``--engine ray`` and ``--address``: frames are computed on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from vidstyle.cli.terminal import say
from vidstyle.runner.execution.engines import EngineName, engine_summaries

_RAY = "ray: on a Ray cluster; a clip is cut into runs of shots."

RunEngine = Annotated[
    Literal[EngineName, "ray"], typer.Option("--engine", help=f"{engine_summaries()} {_RAY}")
]
BatchEngine = Annotated[
    Literal["local", "ray"],
    typer.Option("--engine", help=f"local: in processes of this machine. {_RAY}"),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="With --engine ray: the cluster's head node. Without it a cluster is started on this"
        " machine, and ended afterwards.",
        metavar="HOST:PORT",
    ),
]


def chosen_cluster(
    engine: str, address: str | None, cache: Path | None
) -> Callable[[], AbstractContextManager[str]] | None:
    """What opens the cluster that is to compute, and gives its address; None for no cluster.

    Raises UsageError where options contradict each other, and where no cluster is at the address.
    """
    from vidstyle.core.errors import UsageError

    if engine != "ray":
        if address is not None:
            raise UsageError("--address goes with --engine ray")
        return None
    if cache is not None:
        raise UsageError("--cache is a folder of this machine; leave it out with --engine ray")
    from vidstyle.runner.execution.ray_address import check_address
    from vidstyle.runner.execution.ray_cluster import import_ray, open_cluster

    if address is not None:
        check_address(address)

    @contextmanager
    def opened() -> Generator[str, None, None]:
        import_ray()
        say(
            "starting a Ray cluster on this machine"
            if address is None
            else f"joining the Ray cluster at {address}"
        )
        with open_cluster(address) as cluster:
            yield cluster

    return opened
