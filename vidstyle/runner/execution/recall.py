"""A stage's steps by what they are given: equal inputs were computed before, and are looked up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vidstyle.core.layers import HostArray
from vidstyle.core.needs import Needs, Reach
from vidstyle.core.options import StageOptions
from vidstyle.core.stage import Layers
from vidstyle.runner.execution.parcel import Cell, Parcel
from vidstyle.runner.storage.layer_cache import LayerCache, key_of

_KINDS = ("flow", "stylize")
# Others take less time than reading what they gave.


def worth_keeping(kind: str, needs: Needs) -> bool:
    """Whether the steps of such a stage are kept: dear, and given by what they read alone."""
    return kind in _KINDS and needs.scope == "none" and needs.span is None


@dataclass(frozen=True, slots=True)
class Recall:
    """The cache as one stage uses it."""

    cache: LayerCache
    identity: str
    """Hash of the stage, its options, place, weights and code."""

    def key(
        self,
        now: Parcel,
        behind: Sequence[Parcel],
        ahead: Sequence[Parcel],
        reads: Mapping[str, Reach],
        options: StageOptions,
    ) -> str:
        """Of a step: all that its layers depend on."""
        parts = [self.identity.encode(), json.dumps(options.model_dump(mode="json")).encode()]
        seen = [(0, now), *((-d, p) for d, p in enumerate(behind, 1)), *enumerate(ahead, 1)]
        for distance, parcel in seen:
            for name in sorted(_shown(parcel, distance, reads)):
                parts += [f"{distance} {name}".encode(), parcel.cells[name].digest()]
        return key_of(parts)

    def get(self, key: str) -> Layers | None:
        return self.cache.get(key)

    def put(self, key: str, layers: Layers) -> None:
        """Keep what a step gave."""
        self.cache.put(key, {name: _on_host(layer) for name, layer in layers.items()})


def _shown(parcel: Parcel, distance: int, reads: Mapping[str, Reach]) -> Iterator[str]:
    for name, reach in reads.items():
        if name in parcel.cells and -reach.behind <= distance <= reach.ahead:
            yield name


def _on_host(layer: object) -> HostArray:
    return Cell(layer).at("host", "cpu")  # type: ignore[arg-type,return-value]  # a layer, checked
