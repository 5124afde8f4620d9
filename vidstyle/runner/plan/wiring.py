"""Which layer flows where: found out, and refused, before a frame is decoded."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vidstyle.core.clip import Clip
from vidstyle.core.errors import PipelineError
from vidstyle.core.layers import CHANNELS, CUT, full_layer, reduced_layer
from vidstyle.core.needs import Needs
from vidstyle.runner.config.faults import Faults
from vidstyle.runner.config.yaml_values import Where


@dataclass(frozen=True, slots=True)
class Wire:
    """What the wiring needs to know of one stage."""

    name: str
    kind: str
    needs: Needs
    where: Where | None = None
    """The position of the stage in the pipeline's file."""

    def error(self, text: str) -> PipelineError:
        """The error to raise about the stage: ``p.yaml:4:10: stage blend reads ...``."""
        return _error(self.where, f"stage {self.name} {text}")


SPAN_MEMORY = 512 * 2**20
"""Bytes that a span stage may hold in memory; what is more lies on disk."""

_WRITERS = {
    "flow": "flow/dis",
    "visible": "flow/dis",
    "flow_from_previous": "flow/dis",
    "visible_from_previous": "flow/dis with `directions: both`",
    CUT: "shots/histogram",
    "alpha": "an input with transparency",
    full_layer("source"): "geometry/reduce",
}

_NO_STYLIZED_CLIP = (
    "needs a stylized clip: `vidstyle stabilize ORIGINAL STYLIZED`, or"
    " --set inputs.image=stylized.mp4"
)


def check_wiring(
    wires: Sequence[Wire],
    clip: Clip,
    inputs: Sequence[str] = (),
    places: Mapping[str, Where | None] | None = None,
) -> None:
    """Raise PipelineError where a stage reads what nobody wrote, or stands in a wrong place.

    The message has a line for each fault, with the place in the pipeline's file.

    ``inputs`` are the layers that side inputs become, and ``places`` theirs in the file.
    """
    faults = Faults()
    for name in inputs:
        for fault in _faults_of_input(name, wires, (places or {}).get(name)):
            faults.add(fault)
    there = {"source", "image"} | ({"alpha"} if clip.alpha else set()) | set(inputs)
    for fault in _faults_of_shots(wires):
        faults.add(fault)
    shots = next((number for number, wire in enumerate(wires) if wire.kind == "shots"), None)
    rich, changed = False, "image" in inputs
    for position, wire in enumerate(wires):
        missing = [
            layer
            for layer, reach in wire.needs.reads.items()
            if layer not in there and not reach.optional
        ]
        for fault in _faults_of_reads(wire, missing, there):
            faults.add(fault)
        image = wire.needs.reads.get("image")
        if image is not None and image.changed and not changed:
            # No place in a file: what is missing is a clip that was not named.
            faults.add(PipelineError(f"stage {wire.name} {_NO_STYLIZED_CLIP}"))
        changed = changed or ("image" in wire.needs.writes and not wire.needs.geometry)
        if shots is not None and position < shots and wire.needs.scope != "none":
            text = f"keeps a state and stands before {wires[shots].name}; move it behind"
            faults.add(wire.error(text))
        for fault in _faults_of_geometry(wire, clip, rich=rich):
            faults.add(fault)
        rich = rich or not set(wire.needs.writes) <= {"source", "image", "alpha", CUT, *inputs}
        if wire.needs.restores:
            # What was computed at another size ends here.
            rich, there = False, there & {CUT}
        # What is missing is reported once.
        there |= {*wire.needs.writes, *missing}
    faults.raise_all()


def _faults_of_input(
    name: str, wires: Sequence[Wire], where: Where | None
) -> Iterator[PipelineError]:
    """A side input is read, written by nobody, and has its readers before the size changes."""
    readers = [
        position
        for position, wire in enumerate(wires)
        # One that writes it, too, only brings it to another size.
        if name in wire.needs.reads
        and (wire.needs.restores or not (wire.needs.geometry and name in wire.needs.writes))
    ]
    if not readers:
        yield _error(
            where,
            f"no stage reads the side input {name}; name it at a stage, as in `mask: {name}`,"
            " or remove it",
        )
        return
    for position, wire in enumerate(wires):
        # The image is what stages change, wherever it comes from.
        if name in wire.needs.writes and name != "image" and not wire.needs.geometry:
            yield wire.error(
                f"writes the layer {name}, which is also a side input;"
                " give the side input another name"
            )
        if wire.needs.geometry and name not in wire.needs.writes and position < readers[-1]:
            yield wire.error(
                f"changes the image's size, and the side input {name}, which"
                f" stage {wires[readers[-1]].name} reads behind it, stays as it is; change the"
                " size of the input file instead, or move the stage behind"
            )


def _faults_of_shots(wires: Sequence[Wire]) -> Iterator[PipelineError]:
    found = [wire for wire in wires if wire.kind == "shots"]
    if len(found) > 1:
        yield _error(
            found[1].where, f"{len(found)} stages of kind shots; a clip is cut once: remove one"
        )
    for wire in found:
        if CUT not in wire.needs.writes:
            yield wire.error("is of kind shots and writes no cut")


def _faults_of_geometry(wire: Wire, clip: Clip, *, rich: bool) -> Iterator[PipelineError]:
    """All images of a frame have one size: a stage that changes it writes each of them."""
    writes = set(wire.needs.writes)
    if not wire.needs.geometry:
        if "source" in writes:
            yield wire.error("writes source; only geometry stages may")
        return
    if rich and not wire.needs.restores:
        yield wire.error(
            "changes the image's size and must stand before stages that write flow or other layers"
        )
    images = {"source", "image"} | ({"alpha"} if clip.alpha else set())
    if missing := sorted(images - writes):
        yield wire.error(f"changes the image's size and must also write {', '.join(missing)}")


def _faults_of_reads(
    wire: Wire, missing: Sequence[str], there: Collection[str]
) -> Iterator[PipelineError]:
    """One for all layers that one stage would write."""
    for remedy in dict.fromkeys(map(_WRITERS.get, missing)):
        layers = [layer for layer in missing if _WRITERS.get(layer) == remedy]
        named = f"layers {' and '.join(layers)}" if layers[1:] else f"layer {layers[0]}"
        advice = f"put {remedy} before it" if remedy else f"what there is: {_names(there)}"
        yield wire.error(f"reads the {named}, which no stage before it writes; {advice}")


def _names(layers: Collection[str]) -> str:
    return ", ".join(sorted(layers))


def _error(where: Where | None, text: str) -> PipelineError:
    return PipelineError(text) if where is None else where.error(text)


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
    own, full = clip.width * clip.height, math.prod(clip.full_size or (clip.width, clip.height))
    total = 0
    for layer in layers:
        if layer != CUT:
            reduced = reduced_layer(layer)
            total += CHANNELS.get(reduced or layer, 1) * (own if reduced is None else full)
    return 4 * total


def span_budget(span: int, layers: Sequence[str], clip: Clip) -> int:
    """Bytes in memory for spans of so many frames: layers, and as much as scratch."""
    return min(SPAN_MEMORY, 2 * span * frame_bytes(layers, clip))
