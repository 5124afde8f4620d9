"""How many functions one frame in mid-shot of the main pipeline passes; bounds, not a snapshot."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.trace_frame import Call, functions, trace, write_clip
from vidstyle.runner.config.shipped import pipeline_file

FRAME = 12


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    clip = tmp_path_factory.mktemp("trace") / "in.mp4"
    write_clip(clip, FRAME + 16, 160, 96)
    return trace(pipeline_file(Path("temporal")), clip, FRAME, [])


def test_runner_and_core_stay_short(calls: list[Call]) -> None:
    """Before frames had one type: 288 calls, 61 functions, 17 files. One of nine is of planes."""
    ours = [call for call in calls if call.room in ("runner", "core")]
    assert 60 < len(ours) <= 144
    assert functions(ours) <= 30
    assert len({call.file for call in ours}) <= 9


def test_a_frame_crosses_at_most_six_runner_functions_a_stage(calls: list[Call]) -> None:
    """Before the first stage lies the reader, and behind the shots their numbering."""
    for stage in ("shots/histogram", "flow/dis", "stylize/feedforward", "blend/warped", "encode"):
        begun = [call for call in calls if call.stage == stage and call.starts]
        crossed = functions(call for call in begun if call.room == "runner")
        assert 3 < crossed <= 6, stage
