"""Before a run: the styles that are images are learned, with progress, unless they have been."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from vidstyle.cli.interruption import explain_interruption
from vidstyle.cli.progress import print_json
from vidstyle.cli.step_progress import StepView, show_steps
from vidstyle.cli.terminal import say, say_unless_quiet
from vidstyle.models.style.styles import is_image
from vidstyle.runner.config.keyframes import AT, options_to_json
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.execution.events import Event, NoteEvent, StyleStep

if TYPE_CHECKING:
    from vidstyle.training.image_styles import ImageStyles
    from vidstyle.training.style_cache import ImageStyle

_STAGE = "stylize/feedforward"
# Steps over whose losses the mean is shown: those of a single image jump.
_AVERAGED = 25


def with_learned_styles(
    pipeline: Pipeline,
    *,
    device: str,
    as_json: bool,
    check: Callable[[Pipeline], None],
) -> Pipeline:
    """The pipeline with style files in place of images; those that are missing are learned first.

    ``check`` gets a pipeline of the same plan, and raises what would stop the run: nobody waits
    minutes for that.
    """
    found = _find(pipeline)
    if found is None:
        return pipeline
    if found.missing:
        check(found.stand_in)
        _learn(found, device, as_json=as_json)
    return found.pipeline


def with_planned_styles(pipeline: Pipeline) -> Pipeline:
    """A pipeline of the same plan, with nothing learned; a line says what a run would learn."""
    found = _find(pipeline)
    if found is None:
        return pipeline
    for style in found.missing:
        say(f"a run first learns the style of {style.named} ({_work(found, style)})")
    return found.stand_in if found.missing else found.pipeline


def style_overrides(pipeline: Pipeline) -> list[str]:
    """The styles of a pipeline in the form of ``--set``, for processes that do not learn."""
    return [
        f"{entry.name}.style={json.dumps(_style_of(entry), ensure_ascii=False)}"
        for entry in pipeline.stages
        if entry.use == _STAGE
    ]


def _style_of(entry: StageEntry) -> Any:
    """As the option is written, with times such as ``1.5s``."""
    style = options_to_json(entry.options, entry.keyframes)["style"]
    if "style" not in entry.keyframes:
        return style
    return {AT: {f"{float(Fraction(time)):.6f}s": mix for time, mix in style[AT].items()}}


def _find(pipeline: Pipeline) -> ImageStyles | None:
    # Most runs need nothing of the training's modules.
    if not any(_names_images(entry) for entry in pipeline.stages):
        return None
    from vidstyle.training.image_styles import find_image_styles

    return find_image_styles(pipeline)


def _names_images(entry: StageEntry) -> bool:
    """Whether a style is an image. Of a keyframed mix the options hold every name."""
    style = getattr(entry.options, "style", ()) if entry.use == _STAGE else ()
    return isinstance(style, tuple | list) or any(
        map(is_image, [style] if isinstance(style, str) else style)
    )


def _learn(found: ImageStyles, device: str, *, as_json: bool) -> None:
    from vidstyle.training.image_styles import learn_missing

    shown = _Learning(found)
    with (
        explain_interruption(shown.what_is_kept),
        show_steps(average=_AVERAGED) as show,
    ):

        def listen(event: Event) -> None:
            match event:
                case _ if as_json:
                    print_json(event)
                case StyleStep(_, step, steps, losses, seconds):
                    show(StepView(step, steps, losses, seconds=seconds))
                case NoteEvent(note):
                    say(note.text)

        learn_missing(found, device=device, listen=listen, begin=shown.begin)


class _Learning:
    """Which style is being learned, for lines on standard error."""

    def __init__(self, found: ImageStyles) -> None:
        self._found = found
        self._style: ImageStyle | None = None

    def begin(self, style: ImageStyle) -> None:
        self._style = style
        say_unless_quiet(f"learning the style of {style.named}, once ({_work(self._found, style)})")

    def what_is_kept(self) -> str:
        """For ``explain_interruption``."""
        steps = 0 if self._style is None else self._style.steps_taken()
        if not steps or self._style is None:
            return "no step was kept yet: the same command starts to learn the style again"
        total = self._style.settings.iterations
        return f"{steps} of {total} steps are kept: the same command resumes there"


def _work(found: ImageStyles, style: ImageStyle) -> str:
    """``300 steps by vgg16``, or ``steps 141 to 300 by vgg16``."""
    done, total = style.steps_taken(), style.settings.iterations
    return f"{f'steps {done + 1} to {total}' if done else f'{total} steps'} by {found.backbone}"
