"""``vidstyle batch``: the same tree, and one bad clip does not stop the rest."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.runner.odd_jobs import PLUGIN
from vidstyle.cli.main import run_command
from vidstyle.core.errors import CrashError
from vidstyle.runner.storage.destination import Destination


def test_good_clips_are_done_and_bad_ones_named(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    write_clip(folder / "clips" / "deep" / "c.mp4", count=3)
    (folder / "clips" / "b.mp4").write_text("not a video")
    (folder / "clips" / "deep" / "notes.txt").write_text("hello")
    assert run_command(["batch", "identity.yaml", "clips", "-o", "out"]) == 7
    err = capfd.readouterr().err
    assert "b.mp4: failed in decode: " in err
    assert err.splitlines()[-1] == "vidstyle: 1 of 3 clips failed: b.mp4"
    assert "skipped, not clips: deep/notes.txt" in err
    made = sorted(str(p.relative_to(folder / "out")) for p in (folder / "out").rglob("*.mkv"))
    assert made == ["a.mp4.mkv", "deep/c.mp4.mkv"]


def test_a_second_batch_keeps_what_is_done(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    assert run_command(["batch", "identity.yaml", "clips", "-o", "clips/out"]) == 0
    made = (folder / "clips" / "out" / "a.mp4.mkv").stat().st_mtime_ns
    assert run_command(["batch", "identity.yaml", "clips", "-o", "clips/out"]) == 0
    assert "a.mp4: done already" in capfd.readouterr().err
    assert (folder / "clips" / "out" / "a.mp4.mkv").stat().st_mtime_ns == made


def test_a_folder_without_clips_is_an_input_error(folder) -> None:  # type: ignore[no-untyped-def]  # fixtures
    (folder / "clips").mkdir()
    assert run_command(["batch", "identity.yaml", "clips", "-o", "out"]) == 3
    assert run_command(["batch", "identity.yaml", "gone", "-o", "out"]) == 3


def test_the_input_folder_is_never_the_output(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    assert run_command(["batch", "identity.yaml", "clips", "-o", "clips"]) == 2


def test_the_outputs_may_lie_around_the_clips(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "videos" / "clips" / "a.mp4", count=3)
    assert run_command(["batch", "identity.yaml", "videos/clips", "-o", "videos"]) == 0
    assert (folder / "videos" / "a.mp4.mkv").exists()


def test_what_is_wrong_for_every_clip_ends_the_batch_at_once(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    command = ["batch", "identity.yaml", "clips", "-o", "out", "--device", "toaster"]
    assert run_command(command) == 2
    assert not (folder / "out").exists()
    (folder / "file").write_text("x")
    assert run_command(["batch", "identity.yaml", "clips", "-o", "file"]) == 6


def test_a_clip_that_fails_leaves_no_empty_folder(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    (folder / "clips" / "deep").mkdir()
    (folder / "clips" / "deep" / "b.mp4").write_text("not a video")
    assert run_command(["batch", "identity.yaml", "clips", "-o", "out"]) == 7
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        ".vidstyle",
        "a.mp4.mkv",
        "summary.json",
    ]


def test_a_folder_that_cannot_be_made_costs_its_clips_alone(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in ("a", "sub dir/deep/x", "z/y"):
        write_clip(folder / "clips" / f"{name}.mp4", count=3)
    (folder / "out").mkdir()
    (folder / "out" / "sub dir").write_text("hi")
    assert run_command(["batch", "identity.yaml", "clips", "-o", "out"]) == 7
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1] == "vidstyle: 1 of 3 clips failed: sub dir/deep/x.mp4"
    assert any(line.startswith("3 clips: ") for line in lines)
    assert (folder / "out" / "sub dir").read_text() == "hi"
    clips = json.loads((folder / "out" / "summary.json").read_text())["clips"]
    assert [clip["state"] for clip in clips] == ["done", "failed", "done"]
    assert "cannot make the folder out/sub dir/deep" in clips[1]["reason"]


CRASHING = """\
import os
from vidstyle.core import HostArray, image_filter

@image_filter
def crash(image: HostArray) -> HostArray:
    if image.shape[0] == 64:
        os.abort()
    return image

STAGE = crash
"""


def test_a_clip_that_crashes_the_process_fails_alone(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    plugin = folder / "plugins" / "filter" / "crash.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(CRASHING)
    text = (folder / "identity.yaml").read_text()
    (folder / "p.yaml").write_text(
        text.replace("  - use: encode", "  - use: filter/crash\n  - use: encode")
    )
    for name in ("a", "c"):
        write_clip(folder / "clips" / f"{name}.mp4", count=3)
    with av.open(str(folder / "clips" / "b.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=96, height=64)
        container.mux(stream.encode(av.VideoFrame(96, 64, "yuv420p")))
        container.mux(stream.encode(None))
    call = ["batch", "p.yaml", "clips", "-o", "out", "--plugins", "plugins"]
    assert run_command(call) == 7
    lines = capfd.readouterr().err.splitlines()
    crash = str(CrashError.of_exit_code(-signal.SIGABRT))
    # Not before it was tried again, and by then the others are done.
    assert f"b.mkv: attempt 2, after: {crash}" in lines
    assert f"[3 of 3] b.mkv: failed: {crash}" in lines
    assert lines[-1] == "vidstyle: 1 of 3 clips failed: b.mkv"
    assert sorted(path.name for path in (folder / "out").glob("*.mkv")) == [
        "a.mp4.mkv",
        "c.mp4.mkv",
    ]


def test_sound_that_crashes_its_decoder_fails_one_clip(folder, write_clip, shared_data) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    write_clip(folder / "clips" / "z.mp4", count=3)
    shutil.copy(shared_data / "reports" / "sound-71.mov", folder / "clips" / "m.mov")
    call = ["batch", "identity.yaml", "clips", "-o", "out", "--set", "encode.codec=libx264"]
    # A later FFmpeg may read it.
    assert run_command(call) in (0, 7)
    assert {"a.mp4", "z.mp4"} <= {path.name for path in (folder / "out").iterdir()}


ODD = """\
version: 1
stages:
  - use: decode/pyav
  - use: filter/odd
    deed: DEED
  - use: encode/pyav
    codec: ffv1
"""


def write_odd_pipeline(folder: Path, deed: str, *, delay: float = 0) -> list[str]:
    """A pipeline whose stage misbehaves as asked; the options that load it."""
    plugin = folder / "plugins" / "filter" / "odd.py"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    plugin.write_text(PLUGIN)
    text = ODD.replace("DEED", f"{deed}\n    delay: {delay}")
    (folder / "odd.yaml").write_text(text)
    return ["batch", "odd.yaml", "clips", "-o", "out", "--plugins", "plugins"]


def outcomes(out: str) -> dict[str, dict[str, Any]]:
    """What ``--json`` says of each clip, by its name."""
    events = [json.loads(line) for line in out.splitlines()]
    return {Path(e["input"]).name: e for e in events if e["event"] == "clip"}


@pytest.mark.parametrize(("retries", "code", "attempts"), [("1", 0, 2), ("0", 7, 1)])
def test_a_clip_that_crashed_once_is_tried_again(
    folder, write_clip, capfd, retries, code, attempts
) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    call = write_odd_pipeline(folder, "abort once")
    assert run_command([*call, "--json", "--retries", retries]) == code
    found = outcomes(capfd.readouterr().out)["a.mp4"]
    assert found["attempts"] == attempts
    assert (found["reason"] is None) == (code == 0)


FATAL = """\
import os
from vidstyle.core import NOW, BaseStage, Needs, StageOptions

class Fatal(BaseStage[StageOptions]):
    Options = StageOptions
    needs = Needs(reads={"image": NOW}, writes=("image",))

    def memory(self, clip, context):
        os.abort()

    def step(self, window, state):
        return {}, None

STAGE = Fatal
"""


def test_what_crashes_while_clips_are_looked_at_fails_each_of_them(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd
) -> None:
    for name in "ab":
        write_clip(folder / "clips" / f"{name}.mp4", count=3)
    call = write_odd_pipeline(folder, "none")
    (folder / "plugins" / "filter" / "odd.py").write_text(FATAL)
    text = (folder / "odd.yaml").read_text()
    options = [line for line in text.splitlines() if "deed:" not in line and "delay:" not in line]
    (folder / "odd.yaml").write_text("\n".join(options))
    assert run_command([*call, "--json"]) == 7
    found = outcomes(capfd.readouterr().out)
    assert {name: each["state"] for name, each in found.items()} == {
        "a.mp4": "failed",
        "b.mp4": "failed",
    }
    assert all("ended by SIGABRT" in each["reason"] for each in found.values())


def test_bad_input_and_bad_stages_are_not_tried_again(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    (folder / "clips" / "b.mp4").write_text("no video")
    call = write_odd_pipeline(folder, "raise")
    assert run_command([*call, "--json", "--retries", "5"]) == 7
    found = outcomes(capfd.readouterr().out)
    assert (found["a.mp4"]["attempts"], found["a.mp4"]["stage"]) == (1, "filter")
    assert (found["b.mp4"]["attempts"], found["b.mp4"]["stage"]) == (0, "decode")


def test_jobs_change_no_packet(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in ("a", "b", "c"):
        write_clip(folder / "clips" / f"{name}.mp4", count=6)
    call = ["batch", "identity.yaml", "clips", "--set", "encode.codec=libx264"]
    for jobs in ("1", "3"):
        assert run_command([*call, "-o", jobs, "--jobs", jobs]) == 0
    for name in ("a", "b", "c"):
        assert packets(folder / "1" / f"{name}.mp4") == packets(folder / "3" / f"{name}.mp4")


def test_frames_timeout_cache_and_memory_are_those_of_run(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=6)
    call = write_odd_pipeline(folder, "none")
    assert run_command([*call, "--frames", "2:5"]) == 0
    assert len(packets(folder / "out" / "a.mp4.mkv")) == 3
    assert run_command([*call, "--redo", "--max-memory", "50M"]) == 7
    assert "but --max-memory is 50 MiB" in capfd.readouterr().err
    flow = (folder / "odd.yaml").read_text().replace("filter/odd", "flow/dis")
    (folder / "odd.yaml").write_text(flow.replace("    deed: none\n    delay: 0\n", ""))
    assert run_command([*call, "--redo", "--cache", "layers"]) == 0
    assert any((folder / "layers").iterdir())
    call = write_odd_pipeline(folder, "none", delay=30)
    assert run_command([*call, "--redo", "--timeout", "0.3"]) == 7
    assert "raise the limit with --timeout" in capfd.readouterr().err


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5"])
def test_jobs_are_a_number_or_auto(folder, write_clip, capfd, jobs) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    call = ["batch", "identity.yaml", "clips", "-o", "out", f"--jobs={jobs}"]
    assert run_command(call) == 2
    assert "wanted auto, or a number" in capfd.readouterr().err


def test_a_dry_run_names_what_each_clip_would_meet_and_writes_nothing(
    folder, write_clip, capfd
) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in ("a", "b"):
        write_clip(folder / "clips" / f"{name}.mp4", count=6)
    call = ["batch", "identity.yaml", "clips", "-o", "out"]
    assert run_command([*call, "--dry-run"]) == 0
    rows = capfd.readouterr().out.splitlines()
    assert [row.split()[:2] for row in rows[1:3]] == [["a.mp4", "6"], ["b.mp4", "6"]]
    assert "to be made" in rows[1]
    (folder / "clips" / "c.mp4").write_text("no video")
    assert run_command([*call, "--dry-run"]) == 7
    shown = capfd.readouterr()
    assert "cannot be read" in shown.out.splitlines()[3]
    assert shown.err.endswith("vidstyle: 1 of 3 clips would fail: c.mp4\n")
    assert run_command([*call, "--dry-run", "--max-memory", "50M"]) == 7
    assert "would fail: needs" in capfd.readouterr().out.splitlines()[1]
    assert not (folder / "out").exists()
    (folder / "file").write_text("x")
    assert run_command([*call[:-1], "file/out", "--dry-run"]) == 6


def test_a_dry_run_ends_as_the_batch_would(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in ("a", "b", "c"):
        write_clip(folder / "clips" / f"{name}.mp4", count=6)
    call = ["batch", "identity.yaml", "clips", "-o", "out"]
    assert run_command(call) == 0
    outputs = [folder / "out" / f"{name}.mp4.mkv" for name in "abc"]
    outputs[1].unlink()
    outputs[2].write_text("mine")
    capfd.readouterr()
    planned = {}
    for rule, code in {"": 6, "--redo": 6, "--keep": 0, "--overwrite": 0}.items():
        other = [*call, "--frames", ":3", "--dry-run", "--json", *([rule] if rule else [])]
        assert run_command(other) == code
        shown = capfd.readouterr()
        rows = [json.loads(line) for line in shown.out.splitlines()]
        found = [row for row in rows if "plan" in row]
        assert [row["exit_code"] for row in rows if row not in found] == ([code] if code else [])
        planned[rule] = [each["plan"] for each in found]
        assert [each["state"] for each in found] == ["other", "absent", "foreign"]
        assert found[0]["found"] == ["frames was 0:, is 0:3"]
        assert found[1]["frames"] == 3
        if code:
            assert "1 was changed since: pass --overwrite" in shown.err
    assert planned == {
        "": ["refuse", "make", "refuse"],
        "--redo": ["make again", "make", "refuse"],
        "--keep": ["keep", "make", "keep"],
        "--overwrite": ["make again", "make", "make again"],
    }


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def write_images(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        image = np.full((32, 48, 3), 20 * number, np.uint8)
        cv2.imwrite(str(folder / f"{number:04}.png"), image)


def test_a_folder_of_images_is_one_clip_of_any_pipeline(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.MP4", count=3)
    write_images(folder / "clips" / "deep" / "shot", 4)
    call = ["batch", "identity.yaml", "clips", "-o", "out", "--set", "encode.codec=libx264"]
    assert run_command(call) == 0
    outputs = {"a.MP4": 3, "deep/shot.images.mp4": 4}
    for name, count in outputs.items():
        assert len(packets(folder / "out" / name)) == count
    assert run_command(["run", "identity.yaml", "clips/deep/shot", "-o", "one.mkv"]) == 0
    assert len(packets(folder / "one.mkv")) == 4
    assert run_command([*call, "--json"]) == 0


def test_a_new_neighbor_changes_no_name(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    call = ["batch", "identity.yaml", "clips", "-o", "out", "--set", "encode.codec=libx264"]
    write_clip(folder / "clips" / "a.mov", count=3)
    assert run_command(call) == 0
    (made,) = (folder / "out").glob("*.mp4")
    before = made.stat().st_mtime_ns
    write_clip(folder / "clips" / "a.mp4", count=4)
    assert run_command(call) == 0
    write_clip(folder / "clips" / "a.mov.mp4", count=5)
    assert run_command(call) == 0
    (folder / "clips" / "a.mp4").rename(folder / "clips" / "b.mp4")
    assert run_command(call) == 0
    assert made.stat().st_mtime_ns == before
    found = {path.name: len(packets(path)) for path in (folder / "out").glob("*.mp4")}
    assert found == {"a.mov.mp4": 3, "a.mp4": 4, "a.mov.mp4.mp4": 5, "b.mp4": 4}


def test_patterns_choose_clips(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in ("a", "raw/b", "raw/c"):
        write_clip(folder / "clips" / f"{name}.mp4", count=3)
    call = ["batch", "identity.yaml", "clips", "-o", "out"]
    assert run_command([*call, "--include", "raw/", "--exclude", "c.*", "--exclude", "*.avi"]) == 0
    assert [path.name for path in (folder / "out").rglob("*.mkv")] == ["b.mp4.mkv"]
    assert "the pattern *.avi matches no clip in clips" in capfd.readouterr().err
    assert run_command([*call, "--include", "nothing"]) == 3


def test_a_negated_pattern_takes_back_what_another_excludes(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in ("a.mp4", "b.mp4", "c.mov"):
        write_clip(folder / "clips" / name, count=3)
    call = ["batch", "identity.yaml", "clips", "-o", "out", "--exclude", "*.m*"]
    assert run_command([*call, "--exclude", "!a.mp4"]) == 0
    assert [path.name for path in (folder / "out").glob("*.mkv")] == ["a.mp4.mkv"]
    assert run_command([*call, "--exclude", "[z-a]"]) == 2


def test_links_are_followed_and_one_to_nothing_is_a_failed_clip(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "elsewhere" / "a.mp4", count=3)
    (folder / "clips").mkdir()
    (folder / "clips" / "linked").symlink_to(folder / "elsewhere")
    (folder / "clips" / "gone.mp4").symlink_to("nothing")
    (folder / "clips" / "up").symlink_to(folder)
    assert run_command(["batch", "identity.yaml", "clips", "-o", "out"]) == 7
    err = capfd.readouterr().err
    assert "skipped, links that lead back up: up" in err
    assert "gone.mp4: failed in decode: clips/gone.mp4: no such file" in err
    assert (folder / "out" / "linked" / "a.mp4.mkv").is_file()


def test_outputs_are_no_input_of_the_next_batch_unless_there_is_nothing_else(
    folder, write_clip, capfd
) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in "ab":
        write_clip(folder / "clips" / f"{name}.mp4", count=3)
    assert run_command(["batch", "identity.yaml", "clips", "-o", "clips/out"]) == 0
    capfd.readouterr()
    assert run_command(["batch", "identity.yaml", "clips", "-o", "clips/out2"]) == 0
    err = capfd.readouterr().err
    assert "skipped, outputs of vidstyle: 2, such as out/a.mp4.mkv" in err
    made = [path.name for path in (folder / "clips" / "out2").rglob("*.mkv")]
    assert sorted(made) == ["a.mp4.mkv", "b.mp4.mkv"]
    # A second step after the first.
    assert run_command(["batch", "identity.yaml", "clips/out", "-o", "twice"]) == 0
    assert len(list((folder / "twice").glob("*.mkv"))) == 2


def test_batches_on_one_folder_share_the_work(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in "abcdef":
        write_clip(folder / "clips" / f"{name}.mp4", count=8)
    write_odd_pipeline(folder, "none", delay=0.1)
    call = ["odd.yaml", "clips", "-o", "out", "--plugins", "plugins", "--json", "--jobs", "1"]
    command = [sys.executable, "-m", "vidstyle", "batch", *call]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = [outcomes(child.communicate(timeout=100)[0]) for child in children]
    assert [child.returncode for child in children] == [0, 0]
    states = [[one[f"{name}.mp4"]["state"] for one in found] for name in "abcdef"]
    assert all(pair.count("done") == 1 for pair in states), states
    others = {state for pair in states for state in pair if state != "done"}
    assert others <= {"done already", "elsewhere"}
    # Both have made some.
    assert all(any(pair[number] == "done" for pair in states) for number in (0, 1)), states
    assert len(list((folder / "out").glob("*.mkv"))) == 6
    # Whoever came last has written of all clips as whoever made them.
    summary = json.loads((folder / "out" / "summary.json").read_text())
    assert [clip["state"] for clip in summary["clips"]] == ["done"] * 6
    assert summary["states"] == {"done": 6}
    assert all(clip["seconds"] > 0 for clip in summary["clips"])


def test_a_clip_that_another_process_holds_is_no_failure(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in "ab":
        write_clip(folder / "clips" / f"{name}.mp4", count=3)
    (folder / "out").mkdir()
    with Destination(folder / "out" / "a.mp4.mkv").reserved():
        assert run_command(["batch", "identity.yaml", "clips", "-o", "out"]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert "[2 of 2] a.mp4: in progress elsewhere" in lines
    assert lines[-1].startswith("in progress elsewhere: a.mp4; the same command later")
    # It was looked at twice, and tried once.
    assert not any("attempt" in line for line in lines)
    assert [path.name for path in (folder / "out").glob("*.mkv")] == ["b.mp4.mkv"]


def test_the_summary_says_how_each_clip_ended(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=5)
    (folder / "clips" / "b.mp4").write_text("no video")
    call = ["batch", "identity.yaml", "clips", "-o", "out"]
    assert run_command(call) == 7
    lines = capfd.readouterr().err.splitlines()
    table = lines[next(n for n, line in enumerate(lines) if line.startswith("clip ")) :]
    assert [row.split()[:3] for row in table[1:3]] == [
        ["a.mp4", "done", "5"],
        ["b.mp4", "failed", "decode:"],
    ]
    assert "decode: not a video that can" in table[2]
    assert all(len(row) <= 80 for row in table[:-1])
    # The cause is whole.
    reason = " ".join(row[41:].strip() for row in table[2:-2])
    assert "that can be read" in reason
    assert table[-2].startswith("2 clips: 1 done, 1 failed; 5 frames in ")
    summary = json.loads((folder / "out" / "summary.json").read_text())
    assert summary["states"] == {"done": 1, "failed": 1}
    good, bad = summary["clips"]
    assert (good["state"], good["frames"], good["attempts"]) == ("done", 5, 1)
    assert good["output"] == "out/a.mp4.mkv"
    assert good["seconds"] > 0
    assert (bad["state"], bad["stage"], bad["frames"]) == ("failed", "decode", None)
    assert "not a video that can be read" in bad["reason"]
    # The same with JSON, where the summary comes before the error.
    assert run_command([*call, "--json"]) == 7
    last, error = map(json.loads, capfd.readouterr().out.splitlines()[-2:])
    assert (error["event"], error["exit_code"]) == ("error", 7)
    assert {**last, "event": None} == {
        **json.loads((folder / "out" / "summary.json").read_text()),
        "event": None,
    }
    assert last["states"] == {"done already": 1, "failed": 1}


def test_a_summary_of_somebody_else_stays(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    (folder / "out").mkdir()
    (folder / "out" / "summary.json").write_text("{}")
    assert run_command(["batch", "identity.yaml", "clips", "-o", "out"]) == 0
    assert (folder / "out" / "summary.json").read_text() == "{}"
    assert "summary.json is not of vidstyle" in capfd.readouterr().err
