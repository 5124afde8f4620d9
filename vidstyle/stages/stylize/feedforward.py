"""Stylize each image by one pass through a trained network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    State,
    Window,
    keyframed,
    keyframed_mix,
)
from vidstyle.core.context import Precision
from vidstyle.core.errors import WeightsError
from vidstyle.core.layers import Home
from vidstyle.imaging.mask_options import MaskOptions, check_mask
from vidstyle.imaging.strokes import (
    DETAIL_MEMORY,
    StrokeScale,
    StrokeSize,
    scale_of_clip,
    stroke_size_option,
    with_strokes,
)
from vidstyle.models.style.architectures import SMALLEST_SIDE
from vidstyle.models.style.backends import (
    Backend,
    BackendChoice,
    StylePrecisionChoice,
    resolve_backend,
    resolve_precision,
)
from vidstyle.models.style.style_file import read_style_info
from vidstyle.models.style.styles import find_style, is_image

if TYPE_CHECKING:
    import torch


StyleImages = Annotated[tuple[str, ...], Field(min_length=1)]
"""Image files that are learned as one style."""


class FeedForwardOptions(MaskOptions):
    style: Mix | StyleImages = keyframed_mix(
        description="A name from `vidstyle styles list`, a style file, an image, or a mix such as"
        " {great-wave: 0.7, starry-night: 0.3}. Styles of a mix must have the same network. From"
        " an image, or a list of images, one style is learned before the run, once."
    )
    strength: float = keyframed(
        1.0, ge=0, le=1, description="Weight of the stylized image. 0 leaves the image unchanged."
    )
    stroke_size: StrokeSize = stroke_size_option()
    backend: BackendChoice = Field(
        "auto",
        description="Library that runs the network. compile is torch.compile; openvino runs"
        " on processors only. auto is openvino on a processor and torch on a GPU.",
    )
    precision: StylePrecisionChoice = Field(
        "auto",
        description="Precision of the network's layers. auto is float16 on a GPU; on a"
        " processor it is int8 for a style with ranges where the hardware has VNNI, bfloat16 for"
        " others where the hardware supports it, else float32.",
    )

    def absent_files(self) -> Mapping[str, str]:
        try:
            for name in _mix_of(self):
                # From an image a style is learned before the run.
                if not is_image(name):
                    find_style(name)
        except WeightsError as error:
            return {"style": str(error)}
        return {}


class FeedForward(BaseStage[FeedForwardOptions]):
    """Stylizes each frame in one pass through a trained network (Johnson et al. 2016). Fast.

    ``image + strength · mask · (stylized - image)``: at strength 0 the image passes untouched,
    and where strength and mask are 1 the result is the stylized image itself. At another stroke
    size it is stylized at another size (``imaging.strokes``). Images have any
    size; results are within [0, 1]. Backend and precision follow from device and style alone
    (``style.backends``). A mix interpolates the weights of its styles
    (``style.style_weights.mix_weights``). Before a run, images are replaced by the style files
    that are learned from them. A style that is missing, damaged or of an unknown
    architecture, and styles that cannot be mixed, raise WeightsError before the first frame.
    """

    Options = FeedForwardOptions

    def __init__(self, options: FeedForwardOptions) -> None:
        super().__init__(options)
        reads = {"image": NOW} if options.mask is None else {"image": NOW, options.mask: NOW}
        # OpenVINO takes arrays, torch tensors. Until the backend is resolved there may be a GPU.
        home: Home = "host" if options.backend == "openvino" else "device"
        self.needs = Needs(reads=reads, writes=("image",), home=home)

    def describe(self, clip: Clip) -> Clip:
        # Looked at here, so that a plan already names a style that is not there.
        styles = {name: find_style(name) for name in _mix_of(self.options)}
        if len(styles) > 1:
            from vidstyle.models.style.style_weights import check_alike

            check_alike({name: read_style_info(path) for name, path in styles.items()})
        return clip

    def files(self) -> Sequence[Path]:
        return [find_style(name) for name in _mix_of(self.options)]

    def resolve(self, clip: Clip, context: ExecutionContext) -> FeedForwardOptions:
        backend, precision = self._resolved(context.device)
        return self.options.model_copy(update={"backend": backend, "precision": precision})

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        if context.device != "cpu":
            return 0
        from vidstyle.models.openvino.memory import network_memory
        from vidstyle.models.style.style_weights import read_style_graph

        backend, precision = self._resolved(context.device)
        fused = backend == "openvino"
        path = self.files()[0]
        scale = scale_of_clip(self.options.stroke_size, clip)
        height, width = scale.small if scale else (clip.height, clip.width)
        try:
            network = network_memory(
                read_style_graph(path),
                size=(max(height, SMALLEST_SIDE), max(width, SMALLEST_SIDE)),
                # torch keeps copies in float32.
                precision=precision if fused else "float32",
                fused=fused,
            )
        except ValueError as error:
            raise WeightsError(f"{path} is damaged: {error}") from error
        return network + (DETAIL_MEMORY * clip.height * clip.width if scale else 0)

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self._step: Step
        backend, precision = self._resolved(context.device)
        styles = {name: find_style(name) for name in _mix_of(self.options)}
        if backend == "openvino":
            self._step = _host_step(styles, precision, context, clip, self.options)
        else:
            self._step = _DeviceStep(
                styles,
                precision,
                context,
                compiled=backend == "compile",
                scale=scale_of_clip(self.options.stroke_size, clip),
            )

    def step(self, window: Window[FeedForwardOptions], state: State) -> tuple[Layers, State]:
        return {"image": self._step(window.now, window.options)}, None

    def step_many(self, windows: Sequence[Window[FeedForwardOptions]]) -> Sequence[Layers]:
        if isinstance(self._step, _DeviceStep):
            return [{"image": image} for image in self._step.many(windows)]
        return [self.step(window, None)[0] for window in windows]

    def _resolved(self, device: str) -> tuple[Backend, Precision]:
        backend = resolve_backend(self.options.backend, device)
        return backend, resolve_precision(
            self.options.precision, backend, device, int8_error=self._int8_error()
        )

    def _int8_error(self) -> float | None:
        [name, *others] = _mix_of(self.options)
        return None if others else read_style_info(find_style(name)).int8_error


Step = Callable[[Frame, FeedForwardOptions], Layer]


def _host_step(
    styles: Mapping[str, Path],
    precision: Precision,
    context: ExecutionContext,
    clip: Clip,
    resolved: FeedForwardOptions,
) -> Step:
    from vidstyle.models.style.openvino_stylizer import OpenVinoStylizer

    stylizer = OpenVinoStylizer(styles, precision=precision, threads=context.threads)
    scale = scale_of_clip(resolved.stroke_size, clip)
    height, width = scale.small if scale else (clip.height, clip.width)
    stylizer.network(_mix_of(resolved)).prepare(height, width)

    def step(frame: Frame, options: FeedForwardOptions) -> HostArray:
        image, strength = frame.host("image"), options.strength
        if strength == 0:
            return image
        mix = _mix_of(options)
        stylized = with_strokes(image, scale, lambda small: stylizer.stylize(small, mix))
        mask = None if options.mask is None else frame.host(options.mask)
        return options.mix(image, stylized, strength, mask)

    return step


class _DeviceStep:
    """One image or a batch of them by torch."""

    def __init__(
        self,
        styles: Mapping[str, Path],
        precision: Precision,
        context: ExecutionContext,
        *,
        compiled: bool,
        scale: StrokeScale | None,
    ) -> None:
        from vidstyle.models.style.torch_stylizer import TorchStylizer

        self._scale = scale
        self._stylizer = TorchStylizer(
            styles, precision=precision, device=context.device, compiled=compiled
        )

    def __call__(self, frame: Frame, options: FeedForwardOptions) -> torch.Tensor:
        image = frame.tensor("image")
        if options.strength == 0:
            return image
        stylized = self._stylize(image[None], _mix_of(options))[0]
        return _blend_tensors(frame, options, stylized)

    def many(self, windows: Sequence[Window[FeedForwardOptions]]) -> list[torch.Tensor]:
        """What single steps give; one pass through the network where all are in one style."""
        import torch

        mix = _mix_of(windows[0].options)
        alike = all(_mix_of(window.options) == mix for window in windows)
        if not alike or any(window.options.strength == 0 for window in windows):
            return [self(window.now, window.options) for window in windows]
        images = torch.stack([window.now.tensor("image") for window in windows])
        stylized = self._stylize(images, mix)
        return [
            _blend_tensors(window.now, window.options, one)
            for window, one in zip(windows, stylized, strict=True)
        ]

    def _stylize(self, images: torch.Tensor, mix: Mapping[str, float]) -> torch.Tensor:
        from vidstyle.imaging.device_strokes import with_strokes_tensor

        return with_strokes_tensor(
            images, self._scale, lambda small: self._stylizer.stylize(small, mix)
        )


def _blend_tensors(
    frame: Frame, options: FeedForwardOptions, stylized: torch.Tensor
) -> torch.Tensor:
    image, strength = frame.tensor("image"), options.strength
    # lerp is exact at both ends.
    if options.mask is None:
        return image.lerp(stylized, strength)
    mask = frame.tensor(options.mask)
    check_mask(options.mask, tuple(mask.shape), (1, *image.shape[1:]))
    mask = 1 - mask if options.invert_mask else mask
    return image.lerp(stylized, strength * mask)


def _mix_of(options: FeedForwardOptions) -> Mapping[str, float]:
    # Images of a list are refused by `find_style`, as one is: who runs a pipeline learns them.
    names = (options.style,) if isinstance(options.style, str) else options.style
    return names if isinstance(names, Mapping) else dict.fromkeys(names, 1.0)


STAGE = FeedForward
