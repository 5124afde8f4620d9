"""Paint each image by one pass through a trained network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Frame,
    HostArray,
    Layer,
    Layers,
    Mix,
    Needs,
    StageOptions,
    State,
    Window,
    keyframed,
    keyframed_mix,
    layer_or_file,
)
from vidstyle.core.context import Precision
from vidstyle.core.layers import Home
from vidstyle.models.openvino.memory import network_memory
from vidstyle.models.style.backends import (
    Backend,
    BackendChoice,
    PrecisionChoice,
    resolved_backend,
    resolved_precision,
)
from vidstyle.models.style.style_file import read_style_info
from vidstyle.models.style.style_mix import check_alike
from vidstyle.models.style.styles import find_style

if TYPE_CHECKING:
    import torch


class FeedForwardOptions(StageOptions):
    style: Mix = keyframed_mix(
        description="A name of `vidstyle styles list`, a style file, or a mix such as"
        " {great-wave: 0.7, starry-night: 0.3} of styles of one architecture and width."
    )
    strength: float = keyframed(
        1.0, ge=0, le=1, description="Share of the painting; 0 leaves the image as it is."
    )
    backend: BackendChoice = Field(
        "auto",
        description="What the network is computed by: openvino, on processors alone; torch, or"
        " compile, which is torch.compile. auto is openvino on the cpu and torch on a GPU.",
    )
    precision: PrecisionChoice = Field(
        "auto",
        description="Of the network's layers. auto is float16 on a GPU; on the cpu bfloat16 where"
        " the processor has it, else float32.",
    )
    mask: str | None = layer_or_file(
        description="Where to paint: an image or video that is white there, or opaque where it"
        " has transparency; or the name of a layer, such as a side input."
    )


class FeedForward(BaseStage[FeedForwardOptions]):
    """Paints ``image`` in a trained style: a feed-forward network (Johnson et al. 2016).

    ``image + strength · mask · (painted - image)``: at strength 0 the image passes untouched,
    and where strength and mask are 1 it is the painting itself. Any image size; the painting is
    clamped to [0, 1]. What paints, and in which precision, is settled by the device alone
    (``models.backends``). Where memory is short OpenVINO paints strip by strip, and the painting
    is the same but for rounding; torch has whole images only. A mix interpolates the weights of
    its styles (``models.style_mix``). A style that is missing, damaged or of an unknown
    architecture, and styles that cannot be mixed, raise WeightsError before the first frame.
    """

    Options = FeedForwardOptions

    def __init__(self, options: FeedForwardOptions) -> None:
        super().__init__(options)
        reads = {"image": NOW} if options.mask is None else {"image": NOW, options.mask: NOW}
        # OpenVINO paints arrays, torch tensors. Until that is settled there may be a GPU to use.
        home: Home = "host" if options.backend == "openvino" else "device"
        self.needs = Needs(reads=reads, writes=("image",), home=home)

    def describe(self, clip: Clip) -> Clip:
        # Looked at here, so that a plan already names a style that is not there.
        styles = {name: find_style(name) for name in _shares(self.options)}
        if len(styles) > 1:
            check_alike({name: read_style_info(path) for name, path in styles.items()})
        return clip

    def files(self) -> Sequence[Path]:
        return [find_style(name) for name in _shares(self.options)]

    def resolve(self, clip: Clip, context: ExecutionContext) -> FeedForwardOptions:
        backend, precision = self._resolved(context.device)
        return self.options.model_copy(update={"backend": backend, "precision": precision})

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        if context.device != "cpu":
            return 0
        backend, precision = self._resolved(context.device)
        info = read_style_info(self.files()[0])
        size = (clip.height, clip.width)
        return network_memory(
            info, backend=backend, precision=precision, size=size, tile=context.tile
        )

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._step: Step
        backend, precision = self._resolved(context.device)
        styles = {name: find_style(name) for name in _shares(self.options)}
        if backend == "openvino":
            self._step = _host_step(styles, precision, context, clip, _shares(self.options))
        else:
            self._step = _DeviceStep(styles, precision, context, compiled=backend == "compile")

    def step(self, window: Window[FeedForwardOptions], state: State) -> tuple[Layers, State]:
        return {"image": self._step(window.now, window.options)}, None

    def step_many(self, windows: Sequence[Window[FeedForwardOptions]]) -> Sequence[Layers]:
        if isinstance(self._step, _DeviceStep):
            return [{"image": image} for image in self._step.many(windows)]
        return [self.step(window, None)[0] for window in windows]

    def _resolved(self, device: str) -> tuple[Backend, Precision]:
        backend = resolved_backend(self.options.backend, device)
        return backend, resolved_precision(self.options.precision, backend, device)


Step = Callable[[Frame, FeedForwardOptions], Layer]


def _host_step(
    styles: Mapping[str, Path],
    precision: Precision,
    context: ExecutionContext,
    clip: Clip,
    shares: Mapping[str, float],
) -> Step:
    from vidstyle.models.openvino.stylizer import OpenVinoStylizer

    stylizer = OpenVinoStylizer(
        styles, precision=precision, threads=context.threads, tile=context.tile
    )
    stylizer.network(shares).prepare(clip.height, clip.width)

    def step(frame: Frame, options: FeedForwardOptions) -> HostArray:
        image, share = frame.host("image"), options.strength
        if share == 0:
            return image
        stylized = stylizer.stylize(image, _shares(options))
        if options.mask is not None:
            mask = frame.host(options.mask)
            _check_mask(options.mask, mask.shape, image.shape[:2])
            return _mixed(image, stylized, share * mask[..., None])
        return stylized if share == 1 else _mixed(image, stylized, np.float32(share))

    return step


def _mixed(image: HostArray, stylized: HostArray, share: HostArray | np.float32) -> HostArray:
    # Exact at both ends.
    return image * (1 - share) + stylized * share


class _DeviceStep:
    """One image or a batch of them by torch."""

    def __init__(
        self,
        styles: Mapping[str, Path],
        precision: Precision,
        context: ExecutionContext,
        *,
        compiled: bool,
    ) -> None:
        from vidstyle.models.style.torch_stylizer import TorchStylizer

        self._stylizer = TorchStylizer(
            styles, precision=precision, device=context.device, compiled=compiled
        )

    def __call__(self, frame: Frame, options: FeedForwardOptions) -> torch.Tensor:
        image = frame.tensor("image")
        if options.strength == 0:
            return image
        stylized = self._stylizer.stylize(image[None], _shares(options))[0]
        return _lerped(frame, options, stylized)

    def many(self, windows: Sequence[Window[FeedForwardOptions]]) -> list[torch.Tensor]:
        """What single steps give; one pass through the network where all are in one style."""
        import torch

        shares = _shares(windows[0].options)
        alike = all(_shares(window.options) == shares for window in windows)
        if not alike or any(window.options.strength == 0 for window in windows):
            return [self(window.now, window.options) for window in windows]
        images = torch.stack([window.now.tensor("image") for window in windows])
        stylized = self._stylizer.stylize(images, shares)
        return [
            _lerped(window.now, window.options, one)
            for window, one in zip(windows, stylized, strict=True)
        ]


def _lerped(frame: Frame, options: FeedForwardOptions, stylized: torch.Tensor) -> torch.Tensor:
    image, share = frame.tensor("image"), options.strength
    # lerp is exact at both ends.
    if options.mask is None:
        return image.lerp(stylized, share)
    mask = frame.tensor(options.mask)
    _check_mask(options.mask, tuple(mask.shape), (1, *image.shape[1:]))
    return image.lerp(stylized, share * mask)


def _shares(options: FeedForwardOptions) -> Mapping[str, float]:
    return {options.style: 1.0} if isinstance(options.style, str) else options.style


def _check_mask(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Raises ValueError for a layer of another form."""
    if shape != wanted:
        raise ValueError(f"the mask {name} must be one value a pixel, {wanted}, got {shape}")


STAGE = FeedForward
