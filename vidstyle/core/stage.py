"""The contract of a stage, a base class with its defaults, and the ten-line filter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar, get_type_hints, overload

from pydantic import create_model

from vidstyle.core.clip import Clip
from vidstyle.core.context import ExecutionContext
from vidstyle.core.layers import HostArray, Layer
from vidstyle.core.needs import NOW, Needs
from vidstyle.core.options import StageOptions
from vidstyle.core.planes import Planes
from vidstyle.core.state import State
from vidstyle.core.window import Window

Layers: TypeAlias = "Mapping[str, Layer | Planes]"
OptionsT = TypeVar("OptionsT", bound=StageOptions)


class AnyStage(Protocol):
    """What ``Stage`` and ``SpanStage`` have in common.

    The runner owns buffering, threads, cuts, timestamps and resume. Nothing that changes
    from frame to frame lives on ``self``: it is state, and the runner keeps it.

    Args:
        options: Of its class ``Options``.
    """

    Options: ClassVar[type[Any]]
    """A ``StageOptions``; its fields become the keys of the YAML file."""

    def __init__(self, options: Any) -> None: ...

    @property
    def needs(self) -> Needs:
        """What it reads and writes; may depend on the options."""
        ...

    def describe(self, clip: Clip) -> Clip:
        """Describe the clip after this stage: its geometry and color; pure.

        Args:
            clip: As it arrives.

        Returns:
            As it leaves.
        """
        ...

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        """Replace every ``auto`` of the options by the value that it stands for; pure.

        By rules on clip, device and the processor's features, never by timing. A stage made with
        the result does the same: it is the one that runs and whose ``needs`` count, and the plan
        records its options.

        Args:
            clip: As it arrives.
            context: Device and threads.

        Returns:
            The options without ``auto``.
        """
        ...

    def files(self) -> Sequence[Path]:
        """Weights and whatever else the pixels depend on besides the options.

        A run resumes the work of an interrupted one only where their content is equal.
        """
        ...

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        """State the memory of the stage; the plan adds it up, and refuses what exceeds the budget.

        Args:
            clip: As it arrives.
            context: Device and threads.

        Returns:
            Bytes at most that it holds or works in, beside the layers that it is given and gives.
        """
        ...

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        """Load weights and take the device; called once, before the first step.

        Args:
            clip: As it arrives.
            context: Device and threads.
        """
        ...

    def initial_state(self) -> State:
        """The state at the start of its scope."""
        ...

    def close(self) -> None:
        """Give everything back; called once, also after an error."""
        ...


class Stage(AnyStage, Protocol):
    """A pure step with explicit state, frame by frame."""

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        """Compute one frame.

        Args:
            window: The frame and its neighbors, as ``needs`` declares them.
            state: After the frame before, or the initial one.

        Returns:
            The layers that the stage writes for ``window.now``, and its next state.
        """
        ...


class BatchStage(Stage, Protocol):
    """A stage without a state that can take several frames at once."""

    def step_many(self, windows: Sequence[Window[Any]]) -> Sequence[Layers]:
        """Compute several frames at once.

        Args:
            windows: Of consecutive frames of one shot.

        Returns:
            For each window the layers that ``step`` gives: equal in float32 eager, within the
            backend's tolerance elsewhere.
        """
        ...


class BaseStage(Generic[OptionsT]):
    """The defaults of a stage: describe nothing new, open nothing, remember nothing.

    Args:
        options: Of its class ``Options``.
    """

    Options: ClassVar[type[Any]] = StageOptions
    needs: Needs

    def __init__(self, options: OptionsT) -> None:
        self.options = options

    def describe(self, clip: Clip) -> Clip:
        return clip

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        return self.options

    def files(self) -> Sequence[Path]:
        return ()

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return 0

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        return None

    def initial_state(self) -> State:
        return None

    def close(self) -> None:
        return None


ImageFunction: TypeAlias = Callable[..., HostArray]


@overload
def image_filter(function: ImageFunction) -> type[BaseStage[Any]]: ...
@overload
def image_filter(
    *, options: type[StageOptions]
) -> Callable[[ImageFunction], type[BaseStage[Any]]]: ...


def image_filter(
    function: ImageFunction | None = None, *, options: type[StageOptions] | None = None
) -> type[BaseStage[Any]] | Callable[[ImageFunction], type[BaseStage[Any]]]:
    """Make a stage of a function that maps an image, (H, W, 3) RGB in [0, 1], to another.

    Keyword-only parameters with types become the stage's options. Where bounds or
    descriptions are wanted, give a model instead: ``@image_filter(options=Model)``; its
    fields are passed by keyword, with the values that they have at the frame.

    Args:
        function: Takes an image first, and its options by keyword.
        options: A model of the options; None for the function's keyword-only parameters.

    Returns:
        The stage's class, or a decorator that makes it.
    """

    def make(function: ImageFunction) -> type[BaseStage[Any]]:
        model = options or _options_of(function)
        stage_needs = Needs(reads={"image": NOW}, writes=("image",))

        class ImageFilter(BaseStage[StageOptions]):
            Options = model
            needs = stage_needs

            def step(self, window: Window[StageOptions], state: State) -> tuple[Layers, State]:
                values = {name: getattr(window.options, name) for name in model.model_fields}
                return {"image": function(window.now.host("image"), **values)}, None

        # Messages name the line of the function, not of this step.
        ImageFilter.step.__wrapped__ = function  # type: ignore[attr-defined]
        ImageFilter.__name__ = ImageFilter.__qualname__ = function.__name__
        ImageFilter.__module__ = function.__module__
        ImageFilter.__doc__ = function.__doc__
        return ImageFilter

    return make if function is None else make(function)


def _options_of(function: ImageFunction) -> type[StageOptions]:
    """The model that a function's keyword-only parameters describe."""
    hints = get_type_hints(function)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            required = parameter.default is inspect.Parameter.empty
            default = ... if required else parameter.default
            fields[parameter.name] = (hints[parameter.name], default)
    return create_model(f"{function.__name__}_options", __base__=StageOptions, **fields)
