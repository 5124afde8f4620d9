"""The destination is untouched or complete, and nothing stays beside it."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import IO

import pytest

from vidstyle.core.errors import LockedError, OutputError, UsageError
from vidstyle.core.sink import MANIFEST
from vidstyle.runner.storage.destination import Destination
from vidstyle.runner.storage.records import FOLDER


def test_a_finished_file_replaces_the_old_one_at_once(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("old")
    destination = Destination(out, overwrite=True)
    with destination.reserved():
        destination.partial.write_text("new")
        assert out.read_text() == "old"
        destination.commit()
    assert out.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_failed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    destination = Destination(tmp_path / "out.mp4")
    with pytest.raises(RuntimeError), destination.reserved():
        destination.partial.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_on_the_same_output_is_refused(tmp_path: Path) -> None:
    first, second = Destination(tmp_path / "out.mp4"), Destination(tmp_path / "out.mp4")
    with first.reserved():
        first.partial.write_text("mine")
        with pytest.raises(LockedError, match="another run"), second.reserved():
            pass
        assert first.partial.read_text() == "mine"


def test_the_input_is_never_the_output(tmp_path: Path) -> None:
    clip = tmp_path / "in.mp4"
    clip.write_text("x")
    link = tmp_path / "link.mp4"
    link.symlink_to(clip)
    for path in (clip, link):
        with pytest.raises(UsageError, match="the output is the input"):
            Destination(path, overwrite=True).check(clip)


def test_an_existing_output_needs_overwrite(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("x")
    with pytest.raises(OutputError, match="--overwrite"):
        Destination(out, overwrite=False).check(tmp_path / "in.mp4")
    Destination(out, overwrite=True).check(tmp_path / "in.mp4")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist; make it first"):
        Destination(tmp_path / "gone" / "out.mp4").check(tmp_path)


def test_a_folder_with_foreign_files_is_never_replaced(tmp_path: Path) -> None:
    out = tmp_path / "frames"
    out.mkdir()
    (out / "000000.png").write_text("x")
    (out / "holiday.jpg").write_text("x")
    (out / MANIFEST).write_text(json.dumps({"files": ["000000.png"]}))
    with pytest.raises(OutputError, match=r"holiday\.jpg"):
        Destination(out, overwrite=True).check(tmp_path / "in.mp4")
    (out / "holiday.jpg").unlink()
    destination = Destination(out, overwrite=True)
    destination.check(tmp_path / "in.mp4")
    with destination.reserved():
        destination.partial.mkdir()
        (destination.partial / "000000.png").write_text("new")
        destination.commit()
    assert (out / "000000.png").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_a_folder_of_other_outputs_is_named_by_one_of_them(tmp_path: Path) -> None:
    out = tmp_path / "on"
    (out / FOLDER).mkdir(parents=True)
    (out / "a.mp4").write_text("x")
    with pytest.raises(OutputError, match=r"on holds more than .* \(a\.mp4\); choose another"):
        Destination(out, overwrite=True).check(tmp_path / "in.mp4")


def test_a_file_that_was_added_during_the_run_is_never_deleted(tmp_path: Path) -> None:
    out = folder_of_ours(tmp_path / "frames")
    destination = Destination(out, overwrite=True)
    with pytest.raises(OutputError, match=r"holiday\.jpg"), destination.reserved():
        destination.partial.mkdir()
        (out / "holiday.jpg").write_text("mine")
        destination.commit()
    assert (out / "holiday.jpg").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_a_kill_between_the_two_renames_loses_nothing(tmp_path: Path) -> None:
    out = folder_of_ours(tmp_path / "frames")
    destination = Destination(out, overwrite=True)
    (tmp_path / ".vidstyle").mkdir()
    out.rename(tmp_path / ".vidstyle" / "frames.replaced")
    with destination.reserved():
        assert (out / "000000.png").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["frames"]


def test_an_output_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    destination = Destination(tmp_path / "out.mp4")
    destination.check(tmp_path / "in.mp4")
    destination.path.write_text("another run's")
    with pytest.raises(OutputError, match="--overwrite"), destination.reserved():
        pass
    assert destination.path.read_text() == "another run's"


def test_a_lock_that_was_removed_under_us_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / ".vidstyle" / "out.mp4.lock"
    taken = []

    def flock(handle: IO[str], flags: int) -> None:
        if not taken:
            lock.unlink()
            lock.parent.rmdir()
        taken.append(fcntl_flock(handle, flags))

    fcntl_flock = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", flock)
    with Destination(tmp_path / "out.mp4").reserved():
        assert lock.exists()
    assert len(taken) == 2


def test_a_name_that_no_file_system_takes_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose another -o"):
        Destination(tmp_path / ("x" * 300)).check(tmp_path / "in.mp4")


def test_a_manifest_that_names_files_elsewhere_deletes_none_of_them(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    out = folder_of_ours(tmp_path / "frames")
    listed = ["000000.png", "../precious.txt", str(precious), ".", "..", ""]
    (out / MANIFEST).write_text(json.dumps({"files": listed}))
    destination = Destination(out, overwrite=True)
    with destination.reserved():
        destination.partial.mkdir()
        destination.commit()
    assert precious.read_text() == "mine"


def folder_of_ours(path: Path) -> Path:
    path.mkdir()
    (path / "000000.png").write_text("x")
    (path / MANIFEST).write_text(json.dumps({"files": ["000000.png"]}))
    return path
