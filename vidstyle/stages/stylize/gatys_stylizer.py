"""Stylizing images by optimization with the files that options name."""

from __future__ import annotations

import cv2
import torch

from vidstyle.core import Frame, HostArray
from vidstyle.core.errors import PipelineError
from vidstyle.imaging.mask_options import MaskOptions
from vidstyle.models.loss.backbone import LayerError, load_backbone
from vidstyle.models.loss.image_losses import warp
from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.optimization.gatys import OptimizationResult, Watch, optimize_image
from vidstyle.models.optimization.options import DescentOptions, OptimizationOptions
from vidstyle.models.optimization.style_image_file import read_style_image
from vidstyle.models.optimization.task import OptimizationTask, StyleReference


class OptimizationStylizer:
    """A loss network and style images, on a device."""

    def __init__(self, options: OptimizationOptions, *, device: str) -> None:
        """Reads the files. Raises InputError for a style image, WeightsError for the network."""
        self._options = options.resolve(device)
        self._device = torch.device(device)
        self._style_images = [
            (read_style_image(path), weight) for path, weight in options.style_images.items()
        ]
        assert self._options.backbone != "auto"
        backbone = load_backbone(
            self._options.backbone, file=self._options.weights_file(), pooling=options.pooling
        )
        self._backbone = backbone.to(memory_format=torch.channels_last).to(self._device)

    def stylize(
        self,
        content: torch.Tensor,
        descent: DescentOptions,
        *,
        past: Past | None = None,
        start: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        watch: Watch | None = None,
    ) -> OptimizationResult:
        """Stylizes an image.

        Args:
            content: (1, 3, H, W) RGB in [0, 1].
            descent: how the loss is made small.
            past: the previous frame.
            start: (1, 3, H, W), the image to start at in place of the past.
            mask: (1, 1, H, W) in [0, 1], white where to stylize.
            watch: is called after each step.

        Raises:
            PipelineError: the network does not have a layer, or an image is too small for one.
        """
        longest = max(content.shape[2:]) * self._options.style_scale
        references = [
            StyleReference(image=self._resize(image, longest), weight=weight, mask=mask)
            for image, weight in self._style_images
        ]
        task = OptimizationTask(_channels_last(content), tuple(references), past, start)
        try:
            return optimize_image(
                self._backbone,
                task,
                losses=self._options,
                options=descent,
                colors=self._options.colors,
                watch=watch,
            )
        except LayerError as error:
            raise PipelineError(f"{error}; choose other layers, or another size") from error

    def _resize(self, style_image: HostArray, longest: float) -> torch.Tensor:
        """A style image (1, 3, h, w) of that longer side."""
        factor = longest / max(style_image.shape[:2])
        height, width = (max(1, round(length * factor)) for length in style_image.shape[:2])
        kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        small = cv2.resize(style_image, (width, height), interpolation=kind).clip(0, 1)
        planes = torch.from_numpy(small).permute(2, 0, 1)[None]
        return _channels_last(planes.to(self._device))


def warp_stylized(stylized: torch.Tensor, flow: torch.Tensor, visible: torch.Tensor | None) -> Past:
    """Moves the stylized previous frame (3, H, W) along the flow (2, H, W) of this one.

    ``visible`` is (1, H, W); without it all that lies within the image counts.
    """
    moved = warp(stylized[None], flow[None]).clamp(0, 1)
    seen = _inside(flow) if visible is None else visible
    return Past(moved, seen[None])


def find_mask(frame: Frame, options: MaskOptions) -> torch.Tensor | None:
    """(1, 1, H, W) of the mask, where there is one. Raises ValueError for another form."""
    name = options.mask
    if name is None:
        return None
    mask, image = frame.tensor(name), frame.tensor("image")
    if mask.shape != (1, *image.shape[1:]):
        raise ValueError(
            f"the mask {name} must be one value a pixel, (1, {image.shape[1]},"
            f" {image.shape[2]}), got {tuple(mask.shape)}"
        )
    return 1 - mask[None] if options.invert_mask else mask[None]


def _channels_last(image: torch.Tensor) -> torch.Tensor:
    return image.contiguous(memory_format=torch.channels_last)


def _inside(flow: torch.Tensor) -> torch.Tensor:
    """(1, H, W): 1 where the flow leads into the image."""
    height, width = flow.shape[1:]
    across = flow[0] + torch.arange(width, device=flow.device)
    down = flow[1] + torch.arange(height, device=flow.device)[:, None]
    within = (across >= 0) & (across <= width - 1) & (down >= 0) & (down <= height - 1)
    return within[None].float()
