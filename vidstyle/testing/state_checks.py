"""What every stage has to keep to: it changes nothing of others and remembers only in its state.

Each check raises AssertionError where the stage does not keep to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from vidstyle.core.layers import CUT
from vidstyle.testing.expect import expect, expect_equal, run_stage
from vidstyle.testing.inputs import make_input
from vidstyle.testing.subject import Subject, hash_layers, saved

# Frames: short enough for several spans in a shot.
_SPAN = 2


def inputs_are_not_changed(subject: Subject) -> None:
    """No step writes to the layers that it is shown or to the state that it is given."""
    given = make_input(subject)
    before = hash_layers(given.frames)
    with subject.opened(given.clip) as running:
        _, watched = running.watched(given.frames)
    expect(not watched.mutated, f"step wrote to what it was given: {_listed(watched.mutated)}")
    expect(hash_layers(given.frames) == before, "a layer was written to after its step")


def outputs_are_not_changed_later(subject: Subject) -> None:
    """A layer or state that a step gave stays as it was: no buffer is used twice."""
    given = make_input(subject)
    with subject.opened(given.clip) as running:
        _, watched = running.watched(given.frames)
        late = watched.overwritten()
    expect(not late, f"what a step gave was written to later: {_listed(late)}")


def same_input_gives_same_output(subject: Subject) -> None:
    """Two stages of the same options give the same frames, bit for bit."""
    first, second = (run_stage(subject, make_input(subject)) for _ in range(2))
    expect_equal(second, first, "the second run")


def stage_remembers_nothing_itself(subject: Subject) -> None:
    """An opened stage gives the same frames again: what changes is state, not ``self``."""
    with subject.opened(make_input(subject).clip) as running:
        first, second = (running.run(make_input(subject).frames) for _ in range(2))
    expect_equal(second, first, "the second run of one opened stage")


def state_survives_saving(subject: Subject) -> None:
    """State is None or arrays, numbers and text, the same when read back, also when fresh."""
    given = make_input(subject)
    with subject.opened(given.clip) as running:
        for out, state in running.steps(running.node(given.frames), given.frames):
            if state is None:
                continue
            survives = saved(running.stored(state).state) == saved(state.state)
            expect(survives, f"the state after frame {out.index} is another when read back")
        initial_state = running.stage.initial_state()
        expect(
            saved(initial_state) == saved(running.stage.initial_state()),
            "fresh gives two different states",
        )


def restart_at_any_frame_equals_the_whole(subject: Subject) -> None:
    """From the state and the frames behind, another stage goes on as this one would have.

    A span stage does so at the edges of its spans, which are short ones here.
    """
    given = make_input(subject)
    with subject.opened(given.clip) as running:
        node = running.node(given.frames, span=_SPAN)
        steps = list(running.steps(node, given.frames))
    whole = [out for out, _ in steps]
    for number, (out, state) in enumerate(steps[:-1], 1):
        if state is None:
            continue
        with subject.opened(given.clip) as running:
            rest = given.frames[number:]
            node = running.node(rest, span=_SPAN)
            node.restore(running.stored(state))
            again = [out for out, _ in running.steps(node, rest)]
        expect_equal(again, whole[number:], f"the run restarted after frame {out.index}")


def a_cut_resets_the_stage(subject: Subject) -> None:
    """A shot comes out as if it were alone, be it one, two or more frames long."""
    given = make_input(subject, shots=(3, 1, 2, 4))
    whole = run_stage(subject, given)
    needs = subject.make().needs
    if needs.scope == "clip" or CUT in needs.writes:
        return
    for number in range(4):
        single = run_stage(subject, given.shot(number))
        wanted = [frame for frame in whole if frame.shot == number]
        expect_equal(wanted, single, f"shot {number} within the clip")


def two_open_stages_do_not_meet(subject: Subject) -> None:
    """Two stages at once, step by step in turn, and one closed early, do not disturb."""
    single = run_stage(subject, make_input(subject))
    given, other = make_input(subject), make_input(subject)
    with subject.opened(given.clip) as running:
        steps = running.steps(running.node(given.frames), given.frames)
        with subject.opened(other.clip) as second:
            between = second.steps(second.node(other.frames), other.frames)
            out = [step for step, _ in islice(zip(steps, between, strict=False), 3)]
        out += list(steps)
    expect_equal([frame for frame, _ in out], single, "a run beside another one")


def closing_works_without_opening(subject: Subject) -> None:
    """The runner closes every stage, also where opening it or one before it failed."""
    subject.make().close()


def _listed(faults: Sequence[str]) -> str:
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return ", ".join(faults[:3]) + more
