"""A lock file, and the folder that it needs, in the hands of one process at a time."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from vidstyle.core.errors import LockedError, OutputError
from vidstyle.runner.storage.locks import hold_lock


def test_the_folder_of_a_lock_is_made_and_goes_with_it(tmp_path: Path) -> None:
    lock = tmp_path / "hidden" / "a.lock"
    with hold_lock(lock, "busy"):
        with hold_lock(lock.with_name("b.lock"), "busy"):
            pass
        assert lock.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_else_stays(tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "mine").touch()
    with hold_lock(tmp_path / "hidden" / "a.lock", "busy"):
        pass
    assert [path.name for path in (tmp_path / "hidden").iterdir()] == ["mine"]


def test_a_file_in_place_of_the_folder_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "hidden").touch()
    with (
        pytest.raises(OutputError, match="cannot write to"),
        hold_lock(tmp_path / "hidden" / "a.lock", "busy"),
    ):
        pass
    with (
        pytest.raises(OutputError, match="cannot write to"),
        hold_lock(tmp_path / "gone" / "hidden" / "a.lock", "busy"),
    ):
        pass


def take_turns(folder: Path, rounds: int) -> None:
    """Take and leave the lock so often, each time as its only holder; exits with 1 if not."""
    mine = folder / "holder"
    taken = 0
    while taken < rounds:
        try:
            with hold_lock(folder / "hidden" / "a.lock", "busy"):
                # Fails where another process is here as well.
                mine.touch(exist_ok=False)
                mine.unlink()
                taken += 1
        except LockedError:
            pass


def test_processes_that_make_and_remove_the_folder_never_hold_it_together(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=take_turns, args=(tmp_path, 200)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == []
