"""Painting frames by optimization: from a frame's layers to its painting."""

from __future__ import annotations

from dataclasses import replace

import cv2
import torch

from vidstyle.core import Frame, HostArray
from vidstyle.core.errors import PipelineError
from vidstyle.models.loss.backbone import Backbone, LayerError, load_backbone
from vidstyle.models.loss.image_losses import warp
from vidstyle.models.optimization.gatys import Past, StyleReference, Stylized, Task, Watch, stylize
from vidstyle.models.optimization.settings import DescentSettings
from vidstyle.models.optimization.style_image_file import read_style_image
from vidstyle.stages.stylize.gatys_options import OptimizationOptions


class Stylizer:
    """A loss network and paintings, on a device."""

    def __init__(self, options: OptimizationOptions, *, device: str, temporal: float = 0.0) -> None:
        """Raises InputError for a painting, WeightsError for the network."""
        self._options, self._losses = options, options.resolved(device).losses(temporal=temporal)
        self._device = torch.device(device)
        self._style_images = [
            (read_style_image(path), weight) for path, weight in options.style_images.items()
        ]
        self._backbone = load_loss_network(options).to(self._device)

    def stylize(
        self,
        content: torch.Tensor,
        settings: DescentSettings,
        *,
        past: Past | None = None,
        mask: torch.Tensor | None = None,
        watch: Watch | None = None,
    ) -> Stylized:
        """An image (1, 3, H, W) painted, where the mask (1, 1, H, W) is white.

        Raises PipelineError for layers that the network does not have, or that an image is too
        small for.
        """
        side = max(content.shape[2:]) * self._options.style_scale
        references = [
            StyleReference(image=self._sized(image, side), weight=weight, mask=mask)
            for image, weight in self._style_images
        ]
        task = Task(_laid_out(content), tuple(references), past)
        try:
            return stylize(
                self._backbone,
                task,
                losses=self._losses,
                settings=settings,
                colors=self._options.colors,
                watch=watch,
            )
        except LayerError as error:
            raise PipelineError(f"{error}; choose other layers, or another size") from error

    def _sized(self, style_image: HostArray, longest: float) -> torch.Tensor:
        """A painting (1, 3, h, w) of that longer side."""
        factor = longest / max(style_image.shape[:2])
        height, width = (max(1, round(length * factor)) for length in style_image.shape[:2])
        kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        small = cv2.resize(style_image, (width, height), interpolation=kind).clip(0, 1)
        planes = torch.from_numpy(small).permute(2, 0, 1)[None]
        return _laid_out(planes.to(self._device))


def load_loss_network(options: OptimizationOptions) -> Backbone:
    """The loss network of the options, on the CPU. Raises WeightsError."""
    backbone = load_backbone(options.backbone, file=options.weights_file(), pooling=options.pooling)
    return backbone.to(memory_format=torch.channels_last)


def warped(stylized: torch.Tensor, flow: torch.Tensor, visible: torch.Tensor | None) -> Past:
    """A painting (3, H, W) of the frame before, moved along the flow (2, H, W) of this one.

    ``visible`` is (1, H, W); without it all that lies within the image counts.
    """
    moved = warp(stylized[None], flow[None]).clamp(0, 1)
    seen = _inside(flow) if visible is None else visible
    return Past(moved, seen[None])


def mask_of(frame: Frame, name: str | None) -> torch.Tensor | None:
    """(1, 1, H, W) of a layer, where there is a name. Raises ValueError for another form."""
    if name is None:
        return None
    mask, image = frame.tensor(name), frame.tensor("image")
    if mask.shape != (1, *image.shape[1:]):
        raise ValueError(
            f"the mask {name} must be one value a pixel, (1, {image.shape[1]},"
            f" {image.shape[2]}), got {tuple(mask.shape)}"
        )
    return mask[None]


def following(settings: DescentSettings) -> DescentSettings:
    """Of a frame that begins at the one before: what is coarse is there already."""
    return replace(settings, start="previous", levels=1)


def _laid_out(image: torch.Tensor) -> torch.Tensor:
    return image.contiguous(memory_format=torch.channels_last)


def _inside(flow: torch.Tensor) -> torch.Tensor:
    """(1, H, W): 1 where the flow leads into the image."""
    height, width = flow.shape[1:]
    across = flow[0] + torch.arange(width, device=flow.device)
    down = flow[1] + torch.arange(height, device=flow.device)[:, None]
    within = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    return within[None].float()
