"""``vidstyle batch``: the same tree, and one bad clip does not stop the rest."""

from __future__ import annotations

import shutil

import av

from vidstyle.cli.main import run_command


def test_good_clips_are_done_and_bad_ones_named(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    write_clip(folder / "clips" / "deep" / "c.mp4", count=3)
    (folder / "clips" / "b.mp4").write_text("not a video")
    (folder / "clips" / "notes.txt").write_text("hello")
    assert run_command(["batch", "identity.yaml", "clips", "-o", "out"]) == 7
    err = capfd.readouterr().err
    assert "b.mp4: failed in decode: " in err
    assert err.splitlines()[-1] == "vidstyle: 1 of 3 clips failed: b.mp4"
    assert "skipped, not clips: notes.txt" in err
    made = sorted(str(p.relative_to(folder / "out")) for p in (folder / "out").rglob("*.mkv"))
    assert made == ["a.mkv", "deep/c.mkv"]


def test_a_second_batch_keeps_what_is_done(folder, write_clip, capfd) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    assert run_command(["batch", "identity.yaml", "clips", "-o", "clips/out"]) == 0
    made = (folder / "clips" / "out" / "a.mkv").stat().st_mtime_ns
    assert run_command(["batch", "identity.yaml", "clips", "-o", "clips/out"]) == 0
    assert "a.mp4: done already" in capfd.readouterr().err
    assert (folder / "clips" / "out" / "a.mkv").stat().st_mtime_ns == made


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
    assert (folder / "videos" / "a.mkv").exists()


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
    assert sorted(path.name for path in (folder / "out").iterdir()) == [".vidstyle", "a.mkv"]


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
    assert (
        "[2 of 3] b.mkv: failed: the process of the clip was ended by SIGABRT: a library crashed"
        in lines
    )
    assert lines[-1] == "vidstyle: 1 of 3 clips failed: b.mkv"
    assert sorted(path.name for path in (folder / "out").glob("*.mkv")) == ["a.mkv", "c.mkv"]


def test_sound_that_crashes_its_decoder_fails_one_clip(folder, write_clip, shared_data) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "clips" / "a.mp4", count=3)
    write_clip(folder / "clips" / "z.mp4", count=3)
    shutil.copy(shared_data / "reports" / "sound-71.mov", folder / "clips" / "m.mov")
    call = ["batch", "identity.yaml", "clips", "-o", "out", "--set", "encode.codec=libx264"]
    # A later FFmpeg may read it.
    assert run_command(call) in (0, 7)
    assert {"a.mp4", "z.mp4"} <= {path.name for path in (folder / "out").iterdir()}
