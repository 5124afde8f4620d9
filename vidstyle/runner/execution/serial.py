"""One frame after the other through one stage after the other: the oracle."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeAlias

from vidstyle.runner.execution.nodes import AnyNode
from vidstyle.runner.execution.parcel import Parcel

Flow: TypeAlias = Callable[[Iterable[Parcel]], Generator[Parcel, None, None]]
"""A piece of the pipeline: parcels in, as many parcels out, in order."""


def through(node: AnyNode) -> Flow:
    """The node as a flow."""

    def flow(parcels: Iterable[Parcel]) -> Generator[Parcel, None, None]:
        for parcel in parcels:
            yield from node.push(parcel)
        yield from node.finish()

    return flow


def run_serial(parcels: Iterable[Parcel], flows: Iterable[Flow]) -> Iterator[Parcel]:
    """All frames as they leave the last flow."""
    stream = iter(parcels)
    for flow in flows:
        stream = flow(stream)
    return stream
