"""``vidstyle batch``: the same tree, and one bad clip does not stop the rest."""

from __future__ import annotations

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
