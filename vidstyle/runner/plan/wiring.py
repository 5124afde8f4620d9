"""Which layer flows where: found out, and refused, before a frame is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vidstyle.core.clip import Clip
from vidstyle.core.errors import PipelineError
from vidstyle.core.layers import CHANNELS, CUT
from vidstyle.core.needs import Needs


@dataclass(frozen=True, slots=True)
class Wire:
    """What the wiring needs to know of one stage."""

    name: str
    kind: str
    needs: Needs


SPAN_MEMORY = 512 * 2**20
"""Bytes that a span stage may hold in memory; what is more lies on disk."""

_WRITERS = {
    "flow": "flow/dis",
    "visible": "flow/dis",
    "flow_from_previous": "flow/dis",
    "visible_from_previous": "flow/dis with `directions: both`",
    CUT: "shots/histogram",
    "alpha": "an input with transparency",
}


def check_wiring(wires: Sequence[Wire], clip: Clip, inputs: Sequence[str] = ()) -> None:
    """Raise PipelineError where a stage reads what nobody wrote, or stands in a wrong place.

    ``inputs`` are the layers that side inputs become.
    """
    for name in inputs:
        _check_input(name, wires)
    there = {"source", "image"} | ({"alpha"} if clip.alpha else set()) | set(inputs)
    shots = _shots_position(wires)
    rich = False
    for position, wire in enumerate(wires):
        _check_reads(wire, there)
        if shots is not None and position < shots and wire.needs.scope != "none":
            raise PipelineError(
                f"stage {wire.name} keeps a state and stands before"
                f" {wires[shots].name}; move it behind"
            )
        _check_geometry(wire, clip, rich=rich)
        rich = rich or not set(wire.needs.writes) <= {"source", "image", "alpha", CUT, *inputs}
        there |= set(wire.needs.writes)


def _check_input(name: str, wires: Sequence[Wire]) -> None:
    """A side input is read, written by nobody, and has its readers before the size changes."""
    readers = [
        position
        for position, wire in enumerate(wires)
        # One that writes it, too, only brings it to another size.
        if name in wire.needs.reads and not (wire.needs.geometry and name in wire.needs.writes)
    ]
    if not readers:
        raise PipelineError(
            f"no stage reads the side input {name}; name it at a stage, as in `mask: {name}`,"
            " or remove it"
        )
    for position, wire in enumerate(wires):
        # The image is what stages change, wherever it comes from.
        if name in wire.needs.writes and name != "image" and not wire.needs.geometry:
            raise PipelineError(
                f"stage {wire.name} writes the layer {name}, which is also a side input;"
                " give the side input another name"
            )
        if wire.needs.geometry and name not in wire.needs.writes and position < readers[-1]:
            raise PipelineError(
                f"stage {wire.name} changes the image's size, and the side input {name}, which"
                f" stage {wires[readers[-1]].name} reads behind it, stays as it is; change the"
                " size of the input file instead, or move the stage behind"
            )


def _shots_position(wires: Sequence[Wire]) -> int | None:
    positions = [position for position, wire in enumerate(wires) if wire.kind == "shots"]
    if len(positions) > 1:
        raise PipelineError(f"{len(positions)} stages of kind shots; a clip is cut once")
    for position in positions:
        if CUT not in wires[position].needs.writes:
            raise PipelineError(f"stage {wires[position].name} is of kind shots and writes no cut")
    return positions[0] if positions else None


def _check_geometry(wire: Wire, clip: Clip, *, rich: bool) -> None:
    """All images of a frame have one size: a stage that changes it writes each of them."""
    writes = set(wire.needs.writes)
    if not wire.needs.geometry:
        if "source" in writes:
            raise PipelineError(f"stage {wire.name} writes source; only geometry stages may")
        return
    if rich:
        raise PipelineError(
            f"stage {wire.name} changes the image's size and must stand before"
            " stages that write flow or other layers"
        )
    images = {"source", "image"} | ({"alpha"} if clip.alpha else set())
    if missing := sorted(images - writes):
        raise PipelineError(
            f"stage {wire.name} changes the image's size and must also write {', '.join(missing)}"
        )


def _check_reads(wire: Wire, there: set[str]) -> None:
    for layer, reach in wire.needs.reads.items():
        if layer in there or reach.optional:
            continue
        remedy = _WRITERS.get(layer)
        advice = f"put {remedy} before it" if remedy else f"what there is: {_names(there)}"
        raise PipelineError(
            f"stage {wire.name} reads the layer {layer}, which no stage before it writes; {advice}"
        )


def _names(layers: set[str]) -> str:
    return ", ".join(sorted(layers))


def layers_kept(wires: Sequence[Wire]) -> list[tuple[str, ...]]:
    """Layers that somebody still reads: after the source, then after each stage in turn.

    The runner itself reads ``cut`` where a stage of kind ``shots`` has written it.
    """
    kept: list[tuple[str, ...]] = []
    alive: set[str] = set()
    for wire in reversed(wires):
        kept.append(tuple(sorted(alive | ({CUT} if wire.kind == "shots" else set()))))
        alive = (alive - set(wire.needs.writes)) | set(wire.needs.reads)
    kept.append(tuple(sorted(alive)))
    return kept[::-1]


def frame_bytes(layers: Sequence[str], clip: Clip) -> int:
    """Memory of these layers of one frame; a plugin's own layers count as one channel."""
    channels = sum(0 if layer == CUT else CHANNELS.get(layer, 1) for layer in layers)
    return 4 * channels * clip.width * clip.height


def span_budget(span: int, layers: Sequence[str], clip: Clip) -> int:
    """Bytes in memory for spans of so many frames: layers, and as much as scratch."""
    return min(SPAN_MEMORY, 2 * span * frame_bytes(layers, clip))
