"""What every stage has to keep to: its declaration, its layers, images and spans it can take.

Each check raises AssertionError where the stage does not keep to it.
"""

from __future__ import annotations

import numpy as np
from pydantic import ValidationError

from vidstyle.core import Frame
from vidstyle.core.errors import InputError, PipelineError
from vidstyle.core.layers import CUT, host_shape
from vidstyle.testing.expect import expect, expect_equal, places, run_stage
from vidstyle.testing.inputs import make_input
from vidstyle.testing.subject import Running, Subject, hash_layers

_SMALL = 16
"""Pixels; a stage may refuse an image with a shorter side, in words of its own."""
_IMAGES = ("source", "image", "alpha", "visible", "visible_from_previous")
_MOTION = ("flow", "visible", "flow_from_previous", "visible_from_previous")
_DEVICE_TOLERANCE = 0.01
"""Mean absolute difference between devices that half precision and other kernels may make."""
# Of the spans that a span stage is given.
_SPAN_LENGTHS = (1, 2, 3)


def options_build_and_refuse_unknown_keys(subject: Subject) -> None:
    """The options given make a stage, typos do not, and editors get their schema."""
    subject.make()
    subject.stage_class.Options.model_json_schema()
    try:
        subject.stage_class.Options.model_validate({**subject.options, "no_such_option": 1})
    except ValidationError:
        return
    raise AssertionError("Options accept an unknown key; derive them from StageOptions")


def describe_is_pure_and_agrees_with_needs(subject: Subject) -> None:
    """Described before it is opened, twice the same; the size stays unless it says so."""
    clip = make_input(subject).clip
    stage, other = subject.make(), subject.make()
    described = stage.describe(clip)
    expect(described == stage.describe(clip) == other.describe(clip), "describe is not pure")
    expect(stage.needs == other.needs, "needs differ between two stages of the same options")
    changed = (described.width, described.height) != (clip.width, clip.height)
    expect(stage.needs.geometry or not changed, "describe changes the size; set Needs(geometry)")
    with subject.opened(clip) as running:
        expect(running.stage.describe(clip) == described, "describe changes when opened")


def order_count_and_times_are_kept(subject: Subject) -> None:
    """As many frames come out as went in, in order, each at its time and in its shot."""
    given = make_input(subject, shots=(4, 1, 3))
    expect(places(run_stage(subject, given)) == places(given.frames), "frames moved")


def only_declared_layers_change(subject: Subject) -> None:
    """What ``needs.writes`` does not name comes out as it went in."""
    given = make_input(subject)
    with subject.opened(given.clip) as running:
        out = running.run(given.frames)
        writes = running.planned.needs.writes
    for before, after in zip(hash_layers(given.frames), hash_layers(out), strict=True):
        changed = {name for name in after if after[name] != before.get(name)} - set(writes)
        expect(not changed, f"changed {sorted(changed)}, but declared {sorted(writes)}")


def written_layers_are_sound(subject: Subject) -> None:
    """The right shape, float32, finite; images and visibility in [0, 1]; cuts 0 or 1.

    Flow and visibility are 0 on the first frame of a shot.
    """
    given = make_input(subject, shots=(3, 1, 2))
    with subject.opened(given.clip) as running:
        shots: set[int] = set()
        for frame in running.run(given.frames):
            first = frame.shot not in shots
            shots.add(frame.shot)
            for name in running.planned.needs.writes:
                expect_sound(name, frame, running, first=first)


def one_frame_clip_works(subject: Subject) -> None:
    """A clip of one frame gives one frame."""
    expect(
        len(run_stage(subject, make_input(subject, shots=(1,)))) == 1,
        "one frame went in, another number came out",
    )


def every_size_works(subject: Subject) -> None:
    """Odd, tall, tiny: each size works, and layers have the size that ``describe`` gives.

    An image with a side below 16 px may be refused with an InputError or a PipelineError.
    """
    for size in subject.sizes:
        given = make_input(subject, size=size, shots=(3,))
        try:
            run_stage(subject, given)
        except (InputError, PipelineError):
            expect(min(size) < _SMALL, f"{size[0]}x{size[1]} is refused")


def optional_layers_may_be_missing(subject: Subject) -> None:
    """What is read with ``Reach(optional=True)`` can be left out."""
    given = make_input(subject, optional=False)
    expect(len(run_stage(subject, given)) == len(given.frames), "frames are missing")


def every_device_works(subject: Subject) -> None:
    """Where there is a GPU, a stage at home on a device gives there what it gives on the CPU."""
    if subject.make().needs.home == "host":
        return
    import torch

    if not torch.cuda.is_available():
        return
    on_cpu = run_stage(subject, make_input(subject))
    on_gpu = run_stage(subject, make_input(subject), device="cuda:0")
    for name in subject.make().needs.writes:
        far = max(
            float(np.abs(a.host(name) - b.host(name)).mean())
            for a, b in zip(on_cpu, on_gpu, strict=True)
        )
        expect(far <= _DEVICE_TOLERANCE, f"layer {name} is {far:.3g} off on the GPU")


def spans_of_any_length_work(subject: Subject) -> None:
    """Spans may be shorter than ``needs.span``: frames stay in order, and layers sound."""
    given = make_input(subject, shots=(4, 1, 3))
    with subject.opened(given.clip) as running:
        if running.planned.needs.span is None:
            return
        for length in _SPAN_LENGTHS:
            shots: set[int] = set()
            out = running.run(given.frames, span=length)
            expect(places(out) == places(given.frames), f"frames moved in spans of {length}")
            for frame in out:
                first = frame.shot not in shots
                shots.add(frame.shot)
                for name in running.planned.needs.writes:
                    expect_sound(name, frame, running, first=first)


def frames_on_disk_give_the_same(subject: Subject) -> None:
    """Frames, and the stage's own images, may lie on disk: the output is the same."""
    given = make_input(subject)
    with subject.opened(given.clip) as running:
        if running.planned.needs.span is None:
            return
        in_memory = running.run(given.frames)
        node = running.node(given.frames, budget=0)
        on_disk = [out for out, _ in running.steps(node, given.frames)]
    expect_equal(on_disk, in_memory, "the run from disk")


def a_span_may_be_left_early(subject: Subject) -> None:
    """A run that is given up within a span does not disturb the next one."""
    given = make_input(subject)
    with subject.opened(given.clip) as running:
        if running.planned.needs.span is None:
            return
        whole = running.run(given.frames)
        node = running.node(given.frames, span=2)
        given_up = node.run(given.frames)
        next(given_up)
        given_up.close()
        node.close()
        expect_equal(running.run(given.frames), whole, "the run after one that was given up")


def expect_sound(name: str, frame: Frame, running: Running, *, first: bool) -> None:
    """Check a layer that a stage has written.

    Args:
        name: Of the layer.
        frame: That has it.
        running: The stage.
        first: Whether the frame is the first of its shot.

    Raises:
        AssertionError: Its shape, type or values are not what the layer's name promises.
    """
    layer = frame.host(name)
    clip, where = running.planned.clip, f"layer {name} of frame {frame.index}"
    wanted = host_shape(name, clip.height, clip.width)
    expect(wanted is None or layer.shape == wanted, f"{where}: {layer.shape}, wanted {wanted}")
    expect(layer.dtype == np.float32, f"{where} is {layer.dtype}, not float32")
    expect(np.isfinite(layer).all(), f"{where} is not finite")
    if name in _IMAGES:
        low, high = float(layer.min()), float(layer.max())
        expect(0 <= low <= high <= 1, f"{where} leaves [0, 1]: {low:.4g} to {high:.4g}")
    if name in _MOTION and first:
        expect(not layer.any(), f"{where} is not 0, but the frame is the first of its shot")
    if name == CUT:
        expect(float(layer) in (0.0, 1.0), f"{where} is {float(layer)}, not 0 or 1")
