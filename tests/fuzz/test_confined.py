"""The guards around a case bite: what they are for is seen, and does no harm."""

from __future__ import annotations

import mmap
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.fuzz import cases
from tests.fuzz.cases import Case, run_case
from tests.fuzz.confined import RAISED, confined


def test_output_and_return_value_of_a_command_are_reported(tmp_path: Path) -> None:
    def command() -> int:
        sys.stdout.write("to one\n")
        sys.stderr.write(f"{Path.cwd()}\n")
        os.write(1, b"past Python\n")
        return 3

    outcome = confined(command, tmp_path)
    assert (outcome.code, outcome.signal, outcome.left, outcome.asked) == (3, "", False, ())
    assert sorted(outcome.out.splitlines()) == ["past Python", "to one"]
    assert outcome.err == f"{tmp_path}\n"
    assert 0 < outcome.memory < 8 << 30


def test_an_exception_is_reported(tmp_path: Path) -> None:
    outcome = confined(lambda: 1 // 0, tmp_path)
    assert outcome.code == RAISED
    assert "ZeroDivisionError" in outcome.err


def test_who_does_not_end_is_killed(tmp_path: Path) -> None:
    outcome = confined(lambda: [None for _ in iter(int, 1)] and 0, tmp_path, seconds=0.3)
    assert (outcome.code, outcome.signal) == (None, "SIGKILL")


def test_a_crash_is_reported(tmp_path: Path) -> None:
    assert confined(lambda: os.abort(), tmp_path).signal == "SIGABRT"


@pytest.mark.parametrize(("memory", "err"), [(100 << 20, "Cannot allocate memory"), (1 << 30, "")])
def test_memory_ends(tmp_path: Path, memory: int, err: str) -> None:
    # Always new pages: a bytearray can lie in what the parent's heap has free, however large.
    def command() -> int:
        return len(mmap.mmap(-1, 200 << 20)) - (200 << 20)

    outcome = confined(command, tmp_path, memory=memory)
    assert (outcome.code, err in outcome.err) == (RAISED if err else 0, True)


def test_threads_of_the_parent_are_not_waited_for(tmp_path: Path) -> None:
    def blur() -> int:
        cv2.GaussianBlur(np.zeros((1000, 1000), np.uint8), (9, 9), 2)
        return 0

    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        blur()
        assert confined(blur, tmp_path, seconds=5).code == 0
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        (lambda: socket.create_connection(("localhost", 9)), "localhost"),
        (lambda: urllib.request.urlopen("http://127.0.0.1:9/x"), "127.0.0.1"),
    ],
)
def test_a_connection_is_refused_and_reported(
    tmp_path: Path, call: Callable[[], int], asked: str
) -> None:
    outcome = confined(call, tmp_path)
    assert outcome.code == RAISED
    assert outcome.asked == (asked,)


def test_a_process_that_is_left_is_reported_and_ended(tmp_path: Path) -> None:
    outcome = confined(lambda: subprocess.Popen(["sleep", "60"]).pid and 0, tmp_path)
    assert (outcome.code, outcome.left) == (0, True)


CASE = Case("clip", [], {"in.mkv": b"", "out/out.mkv": b"old", "out/.vidstyle/out-0.work": b""})


def deeds() -> dict[str, tuple[Callable[[], object], int, str]]:
    """What a command could do, the code that it ends in, and what is to be reported of it."""
    out = Path("out")
    return {
        "nothing": (lambda: None, 0, ""),
        "the output": (lambda: (out / "out.mkv").write_text("new"), 0, ""),
        "going on": (lambda: (out / ".vidstyle" / "out-0.work").write_text("new"), 0, ""),
        "half": (lambda: (out / "out.mkv").write_text("ne"), 6, "the old output is not what it"),
        "removed": (lambda: (out / "out.mkv").unlink(), 6, "the old output is not what it was"),
        "litter": (lambda: (out / ".out.mkv.part").touch(), 0, "out/.out.mkv.part was left"),
        "scratch": (lambda: Path("tmp/x").touch(), 0, "tmp/x was left"),
        "input": (lambda: Path("in.mkv").write_text("x"), 0, "something was changed or removed"),
        "decoy": (lambda: exec(Path("odd.py").read_text()), 0, "a decoy was run"),
        "bug": (lambda: None, 1, "the exit code is 1"),
        "silence": (lambda: None, 3, "0 lines of errors"),
        "escape": (lambda: sys.stderr.write("note: \x1b[2J\n"), 0, "control characters"),
        "warning": (lambda: sys.stderr.write("UserWarning: x\n"), 0, "a line is of nobody"),
        "trace": (lambda: sys.stderr.write("Traceback\n"), 0, "there is a traceback"),
    }


@pytest.mark.parametrize("name", deeds())
def test_what_a_command_must_not_do_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    deed, code, wanted = deeds()[name]

    def command(arguments: list[str]) -> int:
        deed()
        if code and name != "silence":
            sys.stderr.write("vidstyle: an error\n")
        return code

    monkeypatch.setattr(cases, "run_command", command)
    _, faults = run_case(CASE, tmp_path)
    assert bool(faults) == bool(wanted), faults
    assert wanted in " ".join(faults)


def test_a_result_that_is_wanted_must_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "run_command", lambda _: sys.stderr.write("vidstyle: x\n") and 3)
    _, faults = run_case(replace(CASE, wanted=[]), tmp_path)
    assert faults == ["the damage was not got over"]
