"""Where the frames of a clip can be computed apart, and how long shots are cut into parts.

A part starts with initial states, some frames early: what its stages give for this overlap is
dropped. So its frames differ from those of the whole shot, the less the longer the overlap is.
"""

from __future__ import annotations

from collections.abc import Sequence

from vidstyle.core.errors import UsageError
from vidstyle.core.plan import PlannedStage, Split

OVERLAP = 16
"""Frames before a part that are computed with it, at least. With 16 the jump where a part of
``temporal`` begins is less than half of that without any; more frames gain little."""


def divide_at_shots(
    stages: Sequence[PlannedStage],
) -> tuple[Sequence[PlannedStage], Sequence[PlannedStage]]:
    """The stages that find cuts, and those behind them."""
    kinds = [stage.use.partition("/")[0] for stage in stages]
    count = kinds.index("shots") + 1 if "shots" in kinds else 0
    return stages[:count], stages[count:]


def compute_frames_apart(stages: Sequence[PlannedStage]) -> bool:
    """Whether the stages compute each frame by itself."""
    needs = [stage.needs for stage in stages]
    return not any(n.scope != "none" or n.behind or n.ahead or n.span for n in needs)


def carrying_stage(stages: Sequence[PlannedStage]) -> PlannedStage | None:
    """The first stage that carries something over cuts; None where nothing is carried."""
    found, others = divide_at_shots(stages)
    # Spans before the cuts are known do not end at them.
    carrying = [s for s in found if s.needs.scope != "none" or s.needs.span]
    carrying += [s for s in others if s.needs.scope == "clip"]
    return carrying[0] if carrying else None


def resolve_split(stages: Sequence[PlannedStage], frames: int | None) -> Split | None:
    """How shots of more than so many frames are cut.

    The overlap is as many frames as the stages look behind together, and at least ``OVERLAP``.

    Args:
        stages: Those between source and sink.
        frames: Of a part; None leaves shots whole.

    Returns:
        None where shots stay whole: nothing is asked for, or each frame is computed by itself.

    Raises:
        UsageError: A stage carries something over cuts, or a part is not longer than twice the
            overlap.
    """
    found, others = divide_at_shots(stages)
    if frames is None or (compute_frames_apart(others) and carrying_stage(found) is None):
        return None
    if (carrying := carrying_stage(stages)) is not None:
        raise UsageError(
            f"--split-shots: stage {carrying.name} remembers more than a shot, so that the clip"
            " cannot be cut; leave out the option or the stage"
        )
    overlap = max(OVERLAP, sum(stage.needs.behind for stage in stages))
    if frames <= 2 * overlap:
        raise UsageError(
            f"--split-shots {frames}: wanted at least {2 * overlap + 1}, as {overlap} frames are"
            " computed twice for each part"
        )
    return Split(frames, overlap)
