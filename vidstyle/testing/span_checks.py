"""What stages that work on spans have to keep to besides; the others have nothing to do here.

Each check raises AssertionError where the stage does not keep to it.
"""

from __future__ import annotations

from vidstyle.testing.expect import expect, expect_equal, places
from vidstyle.testing.inputs import make_input
from vidstyle.testing.stage_checks import expect_sound
from vidstyle.testing.subject import Subject

_LENGTHS = (1, 2, 3)


def spans_of_any_length_work(subject: Subject) -> None:
    """Spans may be shorter than ``needs.span``: frames stay in order, and layers sound."""
    given = make_input(subject, shots=(4, 1, 3))
    with subject.opened(given.clip) as running:
        if running.planned.needs.span is None:
            return
        for length in _LENGTHS:
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
