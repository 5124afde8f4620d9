"""What is wrong with the layers that a stage returned: its declaration against its deed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vidstyle.core.errors import StageError
from vidstyle.core.layers import Layer, host_shape
from vidstyle.core.plan import PlannedStage
from vidstyle.core.stage import Layers


def check_layers(layers: Layers, planned: PlannedStage, index: int) -> None:
    """Raise StageError where these are not the layers that the stage declares for a frame.

    Names, types, shapes of standard layers, and that all values are finite.
    """
    fault = _fault(layers, planned)
    if fault:
        raise StageError(planned.name, index, fault)


def _fault(layers: Mapping[str, Layer], planned: PlannedStage) -> str | None:
    """What is wrong with the layers that a step returned, or None."""
    if not isinstance(layers, Mapping):
        return f"layers must be a mapping of names to arrays, got {type(layers).__name__}"
    if set(layers) != set(planned.needs.writes):
        declared, wrote = sorted(planned.needs.writes), sorted(layers)
        return f"declared that it writes {declared}, but wrote {wrote}"
    for name, layer in layers.items():
        fault = _layer_fault(name, layer, planned)
        if fault:
            return fault
    return None


def _layer_fault(name: str, layer: Layer, planned: PlannedStage) -> str | None:
    on_host = isinstance(layer, np.ndarray)
    if not on_host and planned.needs.home == "host":
        return f"layer {name} must be a numpy array, got {type(layer).__name__}"
    if str(layer.dtype).removeprefix("torch.") != "float32":
        return f"layer {name} must be float32, got {layer.dtype}"
    wanted = host_shape(name, planned.clip.height, planned.clip.width)
    if wanted is not None and not on_host and wanted:
        wanted = (wanted[2] if len(wanted) == 3 else 1, *wanted[:2])
    if wanted is not None and tuple(layer.shape) != wanted:
        return f"layer {name} must have shape {wanted}, got {tuple(layer.shape)}"
    # A sum is finite only if all of its terms are, and costs a fraction of isfinite().all().
    if not np.isfinite(float(layer.sum())):
        return f"layer {name} holds NaN or infinite values"
    return None
