"""``vidstyle run`` with several inputs does what ``batch`` does with a folder."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from vidstyle.cli.main import run_command


@pytest.fixture
def two(folder, write_clip) -> Path:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "a.mp4", count=4)
    write_clip(folder / "deep" / "b.mov", count=5)
    (folder / "bad.mp4").write_text("no video")
    return folder


def run(*more: str) -> int:
    call = ["run", "identity.yaml", *more, "--set", "encode.codec=libx264"]
    return run_command(call)


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def test_a_bad_clip_does_not_stop_the_others_and_there_is_a_summary(
    two: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("a.mp4", "bad.mp4", "deep/b.mov", "-o", "out") == 7
    assert "vidstyle: 1 of 3 clips failed: bad.mp4" in capfd.readouterr().err
    summary = json.loads((two / "out" / "summary.json").read_text())
    assert [clip["state"] for clip in summary["clips"]] == ["done", "failed", "done"]
    assert run("a.mp4", "-o", "one.mp4") == 0
    assert packets(two / "out" / "a.mp4") == packets(two / "one.mp4")
    assert len(packets(two / "out" / "b.mov.mp4")) == 5


def test_without_a_folder_outputs_are_named_after_the_pipeline(two: Path) -> None:
    assert run("a.mp4", "deep/b.mov", "--jobs", "1") == 0
    assert len(packets(two / "a-identity.mp4")) == 4
    assert len(packets(two / "b-identity.mp4")) == 5
    assert not (two / "summary.json").exists()


def test_names_that_meet_differ_in_a_folder(
    two: Path, capfd: pytest.CaptureFixture[str], write_clip
) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(two / "a.mov", count=4)
    assert run("a.mp4", "a.mov", "--dry-run") == 2
    message = "2 inputs would all become a-identity.mp4; pass -o DIR"
    assert message in capfd.readouterr().err
    assert run("a.mp4", "a.mov", "-o", "out", "--dry-run") == 0


def test_a_file_is_no_folder_for_several(two: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for output in ("new.mp4", "bad.mp4"):
        assert run("a.mp4", "deep/b.mov", "-o", output) == 6
        assert f"{output} is not a folder" in capfd.readouterr().err


def test_rules_for_outputs_that_are_there(two: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for inputs in (["a.mp4"], ["a.mp4", "deep/b.mov"]):
        call = [*inputs, "-o", f"out{len(inputs)}"]
        (two / call[-1]).mkdir()
        output = two / call[-1] / "a.mp4"
        assert run(*call) == 0
        made = output.stat().st_mtime_ns
        changed = [*call, "--set", "encode.crf=40"]
        assert run(*changed) == 6
        assert run(*changed, "--keep", "--redo") == 2
        capfd.readouterr()
        assert run(*changed, "--keep") == 0
        assert "kept; " in capfd.readouterr().err
        assert output.stat().st_mtime_ns == made
        assert run(*changed, "--redo") == 0
        again = output.stat().st_mtime_ns
        assert again != made
        assert run(*changed, "--redo") == 0
        assert output.stat().st_mtime_ns == again
        output.write_text("mine")
        assert run(*changed, "--redo") == 6
        assert output.read_text() == "mine"


def test_a_dry_run_of_several_writes_nothing(two: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("a.mp4", "deep/b.mov", "-o", "out", "--dry-run") == 0
    rows = capfd.readouterr().out.splitlines()
    assert [row.split()[:2] for row in rows[1:3]] == [["a.mp4", "4"], ["deep/b.mov", "5"]]
    assert not (two / "out").exists()
