"""Speed as ratios: of the pipeline to a frame loop, and to its stylizer only."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.cli.bench import LOOP, RUN, STYLIZER, rates_of, table
from vidstyle.cli.main import run_command
from vidstyle.core.errors import UsageError
from vidstyle.evaluation.speed import Timing, time_command

ROOT = Path(__file__).parents[2]
TIMINGS = {
    LOOP: Timing(24, 6.0, 2.0, 800 * 2**20),
    STYLIZER: Timing(120, 5.0, 50.0, 300 * 2**20),
    RUN: Timing(120, 1.5, 40.0, 400 * 2**20, {"flow": 1.2, "stylize": 2.4}),
}


def test_ratios_are_of_rates() -> None:
    rates = rates_of(TIMINGS)
    assert rates["ratios"] == {
        "speed over the frame loop": 20.0,
        "time over the stylizer only": 1.25,
    }
    assert rates["stage_milliseconds"] == {"flow": 10.0, "stylize": 20.0}


def test_the_table_fits_a_terminal_and_shows_earlier_ratios() -> None:
    lines = table(rates_of(TIMINGS), {"speed over the frame loop": 18.0})
    assert max(map(len, lines)) <= 80
    assert "speed over the frame loop: 20.00 (was 18.00)" in lines


def test_a_command_that_fails_is_named_with_its_reason() -> None:
    with pytest.raises(UsageError, match="there is nothing"):
        time_command(["sh", "-c", "echo there is nothing >&2; exit 3"])


def test_first_frame_rate_and_memory_are_those_of_the_command() -> None:
    program = (
        "import time, json; from array import array; held = bytearray(200 * 2**20)\n"
        "for i in range(13):\n"
        "    time.sleep(0.2 if i < 3 else 0.05)\n"
        "    print(json.dumps({'event': 'frame', 'index': i}), flush=True)"
    )
    timing = time_command(["python3", "-c", program])
    assert timing.frames == 13
    assert timing.first > 0.2
    assert 5 < timing.rate <= 20
    assert 200 * 2**20 < timing.peak < 280 * 2**20


@pytest.mark.parametrize("text", ["", "[]", '{"ratios": 3}', '{"ratios": {"a": "b"}}'])
def test_another_file_to_compare_with_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    earlier = tmp_path / "earlier.json"
    earlier.write_text(text)
    arguments = ["bench", str(ROOT / "pipelines" / "temporal.yaml"), "none.mp4"]
    assert run_command([*arguments, "--compare", str(earlier)]) == 2
    assert "wanted the output of `vidstyle bench --json`" in capfd.readouterr().err


def test_a_missing_earlier_file_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["bench", str(ROOT / "pipelines" / "temporal.yaml"), "none.mp4"]
    assert run_command([*arguments, "--compare", "none.json"]) == 2
    assert "--compare none.json: cannot be read (No such file" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        (["none.mp4"], 3, "none.mp4: no such file"),
        (["in.mp4", "--style", "none"], 4, "there is no style none"),
        (["in.mp4"], 3, "in.mp4 has 5 frames; a rate needs 8 or more"),
    ],
)
def test_what_cannot_be_timed_is_refused_at_once_as_a_run_refuses_it(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd, changed: list[str], code: int, message: str
) -> None:
    write_clip(folder / "in.mp4", count=5)
    assert run_command(["bench", str(ROOT / "pipelines" / "temporal.yaml"), *changed]) == code
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert message in lines[0]


@pytest.mark.slow
def test_a_pipeline_is_timed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "in.mkv"
    textures = np.random.default_rng(0).integers(0, 255, (96, 192, 3), np.uint8)
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=128, height=96)
        stream.pix_fmt = "bgr0"
        for index in range(12):
            window = np.ascontiguousarray(textures[:, index : index + 128])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(window, "rgb24")))
        container.mux(stream.encode(None))
    command = ["bench", str(ROOT / "pipelines" / "temporal.yaml"), str(clip), "--frames", "12"]
    assert run_command([*command, "--rounds", "1", "--json"]) == 0
    rates = json.loads(capfd.readouterr().out)
    assert set(rates["each"]) == {LOOP, STYLIZER, RUN}
    assert rates["ratios"]["speed over the frame loop"] > 0
    assert set(rates["stage_milliseconds"]) >= {"decode", "flow", "stylize", "blend", "encode"}
