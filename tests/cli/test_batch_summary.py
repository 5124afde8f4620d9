"""What two batches of one folder write about it together."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from vidstyle.cli.batch_summary import merge_summaries, write_summary
from vidstyle.runner.storage.locks import hold_lock


def summary(began: str, seconds: float, **states: str) -> dict[str, Any]:
    clips = [{"output": name, "state": state, "by": began} for name, state in states.items()]
    at = f"2026-11-01T10:00:{began}+00:00"
    return {"kind": "vidstyle batch", "began": at, "seconds": seconds, "clips": clips}


def states(found: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {clip["output"]: (clip["state"], clip["by"]) for clip in found["clips"]}


def test_of_two_batches_at_a_time_the_one_counts_that_has_done_more() -> None:
    first = summary("00.000", 5, a="done", b="elsewhere", c="failed", d="done", e="kept")
    second = summary("04.999", 9, a="done already", b="done", c="done", d="elsewhere", f="waiting")
    merged = merge_summaries(first, second)
    assert states(merged) == {
        "a": ("done", "00.000"),
        "b": ("done", "04.999"),
        "c": ("done", "04.999"),
        "d": ("done", "00.000"),
        "e": ("kept", "00.000"),
        "f": ("waiting", "04.999"),
    }
    assert merged["states"] == {"done": 4, "kept": 1, "waiting": 1}
    assert merged["began"] == "2026-11-01T10:00:00.000+00:00"
    assert merged["seconds"] == 13.999


@pytest.mark.parametrize("began", ["00.000", "long ago", None])
def test_a_batch_that_had_ended_before_says_nothing_of_this_one(began: str | None) -> None:
    before, now = summary("00.000", 5, a="done", b="done"), summary("05.001", 1, a="done already")
    before["began"] = before["began"] if began == "00.000" else began
    assert merge_summaries(before, now) == now


def test_a_summary_waits_for_the_one_that_is_being_written(tmp_path: Path) -> None:
    lock = tmp_path / ".vidstyle" / "summary.json.lock"
    written = tmp_path / "summary.json"
    with hold_lock(lock, "busy"):
        other = threading.Thread(
            target=write_summary, args=(tmp_path, summary("04.000", 1, b="done"))
        )
        other.start()
        time.sleep(0.2)
        assert not written.exists()
        written.write_text(json.dumps(summary("00.000", 5, a="done")))
    other.join(10)
    assert set(states(json.loads(written.read_text()))) == {"a", "b"}
    assert not lock.exists()
