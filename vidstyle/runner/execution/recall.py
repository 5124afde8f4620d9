"""A stage's steps by what they are given: equal inputs were computed before, and are looked up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from vidstyle.core.frame import LazyLayer
from vidstyle.core.needs import Needs
from vidstyle.core.stage import Layers
from vidstyle.core.window import Window
from vidstyle.runner.storage.layer_cache import LayerCache, key_of

# Others take less time than reading what they gave.
_KINDS = ("flow", "stylize")


def worth_keeping(kind: str, needs: Needs) -> bool:
    """Whether the steps of such a stage are kept: dear, and given by what they read alone."""
    return kind in _KINDS and needs.scope == "none" and needs.span is None


@dataclass(frozen=True, slots=True)
class Recall:
    """The cache as one stage uses it."""

    cache: LayerCache
    identity: str
    """Hash of the stage, its options, place, weights and code."""

    def key(self, window: Window[Any]) -> str:
        """Hash of all that the layers of a step depend on."""
        options = json.dumps(window.options.model_dump(mode="json"))
        parts = [self.identity.encode(), options.encode()]
        behind = ((-distance, frame) for distance, frame in enumerate(window.behind, 1))
        for distance, frame in [(0, window.now), *behind, *enumerate(window.ahead, 1)]:
            for name in sorted(frame.layers):
                parts += [f"{distance} {name}".encode(), frame.lazy_layer(name).digest()]
        return key_of(parts)

    def get(self, key: str) -> Layers | None:
        return self.cache.get(key)

    def put(self, key: str, layers: Layers) -> None:
        """Keep what a step gave."""
        self.cache.put(key, {name: LazyLayer(layer).host() for name, layer in layers.items()})
