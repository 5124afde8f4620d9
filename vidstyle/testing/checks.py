"""The check suite for authors of stages, sources and sinks.

With pytest:

    @pytest.mark.parametrize(("name", "check"), checks_for(Duotone, strength=0.5))
    def test_duotone_keeps_the_contract(name, check):
        check()

and without: ``print(run_checks(Duotone, {"strength": 0.5}))`` prints a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from vidstyle.testing import sink_checks, source_checks, stage_checks, state_checks
from vidstyle.testing.sink_checks import SinkSubject
from vidstyle.testing.source_checks import SourceSubject
from vidstyle.testing.subject import Subject

Check: TypeAlias = Callable[[], None]
"""Raises where the contract is broken, and says how."""

STAGE_CHECKS: tuple[Callable[[Subject], None], ...] = (
    stage_checks.options_build_and_refuse_unknown_keys,
    stage_checks.describe_is_pure_and_agrees_with_needs,
    stage_checks.order_count_and_times_are_kept,
    stage_checks.only_declared_layers_change,
    stage_checks.written_layers_are_sound,
    stage_checks.one_frame_clip_works,
    stage_checks.every_size_works,
    stage_checks.optional_layers_may_be_missing,
    stage_checks.every_device_works,
    state_checks.inputs_are_not_changed,
    state_checks.outputs_are_not_changed_later,
    state_checks.same_input_gives_same_output,
    state_checks.stage_remembers_nothing_itself,
    state_checks.state_survives_saving,
    state_checks.restart_at_any_frame_equals_the_whole,
    state_checks.a_cut_resets_the_stage,
    state_checks.two_open_stages_do_not_meet,
    state_checks.closing_works_without_opening,
    stage_checks.spans_of_any_length_work,
    stage_checks.frames_on_disk_give_the_same,
    stage_checks.a_span_may_be_left_early,
)

SOURCE_CHECKS: tuple[Callable[[SourceSubject], None], ...] = (
    source_checks.frames_are_numbered_in_order_of_time,
    source_checks.frames_have_the_described_size,
    source_checks.same_file_gives_same_frames,
    source_checks.marks_lead_back_to_their_place,
    source_checks.reading_may_stop_early,
)

SINK_CHECKS: tuple[Callable[[SinkSubject], None], ...] = (
    sink_checks.same_frames_give_same_packets,
    sink_checks.different_frames_have_different_hashes,
    sink_checks.each_chunk_starts_with_a_keyframe,
    sink_checks.chunks_join_to_all_frames,
    sink_checks.odd_sizes_and_variable_rates_work,
    sink_checks.sinks_close_without_opening,
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended."""

    name: str
    reason: str | None = None
    """Why it failed, in one line; None where it passed."""

    @property
    def passed(self) -> bool:
        return self.reason is None


class CheckResults(tuple[CheckResult, ...]):
    """The results of all checks; ``str`` makes a table of them, the failed ones with reasons."""

    __slots__ = ()

    def __str__(self) -> str:
        width = max((len(result.name) for result in self), default=0)
        rows = [
            f"{result.name:{width}}  {'passed' if result.passed else f'FAILED: {result.reason}'}"
            for result in self
        ]
        count = len(failed(self))
        end = (
            f"{count} of {len(self)} checks failed."
            if count
            else f"All checks passed ({len(self)})."
        )
        return "\n".join([*rows, end])


def checks_for(stage_class: type[Any], /, **options: Any) -> list[tuple[str, Check]]:
    """List the checks of a stage with some options, one for each promise.

    Args:
        stage_class: The stage.
        **options: Of the stage; one that it does not have fails every check.

    Returns:
        Name and check.
    """
    return checks_of(Subject(stage_class, options))


def checks_of(subject: Subject) -> list[tuple[str, Check]]:
    """List the checks of a stage that reads layers of its own or has a least size.

    Args:
        subject: The stage, its options and what it reads.

    Returns:
        Name and check.
    """
    return [(check.__name__, partial(check, subject)) for check in STAGE_CHECKS]


def run_checks(stage_class: type[Any], options: Mapping[str, Any] | None = None) -> CheckResults:
    """Run every check of a stage; none is left out after a failure.

    Args:
        stage_class: The stage.
        options: Of the stage.

    Returns:
        One for each check; ``print`` shows them as a table.
    """
    return results(checks_of(Subject(stage_class, options or {})))


def checks_for_source(
    source_class: type[Any], path: Path, /, **options: Any
) -> list[tuple[str, Check]]:
    """List the checks of a source, one for each promise.

    Args:
        source_class: The source.
        path: A file or folder that it reads, of at least two frames.
        **options: Of the source.

    Returns:
        Name and check.
    """
    subject = SourceSubject(source_class, path, options)
    return [(check.__name__, partial(check, subject)) for check in SOURCE_CHECKS]


def check_source(
    source_class: type[Any], path: Path, options: Mapping[str, Any] | None = None
) -> CheckResults:
    """Run every check of a source.

    Args:
        source_class: The source.
        path: A file or folder that it reads, of at least two frames.
        options: Of the source.

    Returns:
        One for each check; ``print`` shows them as a table.
    """
    return results(checks_for_source(source_class, path, **(options or {})))


def checks_for_sink(
    sink_class: type[Any], suffix: str, /, **options: Any
) -> list[tuple[str, Check]]:
    """List the checks of a sink, one for each promise.

    Args:
        sink_class: The sink.
        suffix: Of the files that it makes, such as ``.mp4``.
        **options: Of the sink.

    Returns:
        Name and check.
    """
    subject = SinkSubject(sink_class, suffix, options)
    return [(check.__name__, partial(check, subject)) for check in SINK_CHECKS]


def results(checks: Iterable[tuple[str, Check]]) -> CheckResults:
    """Run checks.

    Args:
        checks: Name and check.

    Returns:
        One for each check; ``print`` shows them as a table.
    """
    return CheckResults(_result(name, check) for name, check in checks)


def failed(results: Sequence[CheckResult]) -> dict[str, str]:
    """Give the reasons of the checks that failed.

    Args:
        results: Of checks.

    Returns:
        Reasons by the checks' names.
    """
    return {result.name: result.reason for result in results if result.reason is not None}


def _result(name: str, check: Check) -> CheckResult:
    try:
        check()
    except AssertionError as error:
        return CheckResult(name, _line(error) or "failed")
    except Exception as error:  # a check that a stage's own mistake ends has failed as well
        return CheckResult(name, f"{type(error).__name__}: {_line(error)}")
    return CheckResult(name)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
