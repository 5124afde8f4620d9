"""Stylizing by torch, on a processor or a GPU, layer by layer or compiled."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import nn

from vidstyle.core.context import Precision
from vidstyle.core.errors import PipelineError
from vidstyle.models.style.cuda_graphs import CudaRecorder, Replays
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import load_style

_TYPES: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


class TorchStylizer:
    """Stylizes images (N, 3, H, W), RGB in [0, 1], in one of some styles or a mix of them.

    Args:
        styles: Style files by name.
        precision: Of the convolutions.
        device: As torch names it.
        compiled: Whether to use ``torch.compile``, which takes half a minute at the first image.
            Without it a GPU replays CUDA graphs: one for each style and shape, and one for all
            mixes, whose weights change in place.

    Raises:
        WeightsError: As ``load_style`` raises it.
    """

    def __init__(
        self, styles: Mapping[str, Path], *, precision: Precision, device: str, compiled: bool
    ) -> None:
        networks = {
            name: load_style(path).module.to(device).to(memory_format=torch.channels_last)
            for name, path in styles.items()
        }
        self._mixer = StyleMix(networks)
        self._type = _TYPES[precision]
        self._kind = torch.device(device).type
        self._compiled: dict[nn.Module, nn.Module] | None = {} if compiled else None
        graphed = self._kind == "cuda" and not compiled
        self._replays = Replays(CudaRecorder(device)) if graphed else None

    def stylize(self, images: torch.Tensor, mix: Mapping[str, float]) -> torch.Tensor:
        """Stylize images.

        Args:
            images: (N, 3, H, W) RGB in [0, 1], on the stylizer's device.
            mix: Weights of the styles by name; they sum to 1.

        Returns:
            New images of that shape, float32, on that device.

        Raises:
            PipelineError: Torch cannot compile here.
        """
        network = self._mixer.network(mix)
        if self._replays is not None:
            return self._replays.run(network, partial(self._stylize, network), images)
        if self._compiled is None:
            return self._stylize(network, images)
        # torch loads its compiler late.
        from torch._dynamo.exc import TorchDynamoException

        try:
            return self._stylize(self._compile(network), images)
        except TorchDynamoException as error:
            reason = str(error).strip().splitlines()[0]
            raise PipelineError(
                f"backend compile: torch cannot compile here ({reason}): it needs a C++ compiler;"
                " choose another backend"
            ) from error

    def _stylize(self, network: nn.Module, images: torch.Tensor) -> torch.Tensor:
        # The weights stay float32, and so does what is summed over a whole image.
        lower = self._type != torch.float32
        with torch.inference_mode(), torch.autocast(self._kind, self._type, enabled=lower):
            images = images.contiguous(memory_format=torch.channels_last)
            return stylize(network, images).float()

    def _compile(self, network: StyleNetwork) -> nn.Module:
        assert self._compiled is not None
        if network not in self._compiled:
            self._compiled[network] = cast("nn.Module", torch.compile(network))
        return self._compiled[network]


class StyleMix:
    """The network between those of several styles, as ``style_weights.mix_weights`` has it.

    Args:
        networks: Alike as ``check_alike`` has it, on their device.
    """

    def __init__(self, networks: Mapping[str, StyleNetwork]) -> None:
        self._networks = dict(networks)
        self._mixed: StyleNetwork | None = None
        self._mix: Mapping[str, float] = {}

    def network(self, mix: Mapping[str, float]) -> StyleNetwork:
        """Return the network of a mix; it is valid until the next call.

        Where one style is all of it, it is that style's own network.

        Args:
            mix: Weights of the styles by name; they sum to 1.

        Returns:
            The network.
        """
        used = {name: weight for name, weight in mix.items() if weight}
        if len(used) == 1:
            return self._networks[next(iter(used))]
        if self._mixed is None:
            self._mixed = copy.deepcopy(next(iter(self._networks.values())))
        if used != self._mix:
            self._fill(self._mixed.state_dict(), used)
            self._mix = used
        return self._mixed

    def _fill(self, mixed: Mapping[str, torch.Tensor], mix: Mapping[str, float]) -> None:
        parts = [(self._networks[name].state_dict(), weight) for name, weight in mix.items()]
        for key, target in mixed.items():
            target.copy_(sum(weights[key] * weight for weights, weight in parts))
