"""How fast commands make frames: rates, start-up and memory, measured in turns."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vidstyle.core.errors import UsageError

WARM_UP = 3
"""Frames before the rate counts: the first ones wait for compilers, caches and clocks."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One run of a command that prints a line for each frame."""

    frames: int
    first: float
    """Seconds from the start of the command to its first frame."""
    rate: float
    """Frames a second after the first few."""
    peak: int
    """Most bytes of memory, up to the last frame; 0 where the system does not report it."""
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    """As ``vidstyle run`` reports them; empty where it reports none."""


def time_command(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Timing:
    """Run a command that prints the JSON lines of ``vidstyle run``, and measure it.

    Args:
        command: Program and arguments.
        environment: Variables beside those of this process.

    Returns:
        Its rate, times and memory.

    Raises:
        UsageError: The command fails; the message ends with the last line of its errors.
    """
    started = time.perf_counter()
    moments: list[float] = []
    stages: Mapping[str, float] = {}
    peak = 0
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=None if environment is None else {**os.environ, **environment},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "frame":
                moments.append(time.perf_counter() - started)
                peak = max(peak, _peak_so_far(process.pid))
            stages = event.get("stage_seconds", stages)
        lines = process.stderr.read().strip().splitlines()
    if process.returncode or len(moments) <= WARM_UP:
        name, reason = " ".join(command[:3]), lines[-1] if lines else ""
        raise UsageError(f"{name} made no frames to be timed: {reason}")
    rate = (len(moments) - WARM_UP) / (moments[-1] - moments[WARM_UP - 1])
    return Timing(len(moments), moments[0], rate, peak, stages)


def _peak_so_far(process: int) -> int:
    """Most bytes that a process, or one that it has started, has had so far.

    0 where the system does not report it. What it reports of a child at its end counts what its
    parent had at its start.
    """
    facts = Path(f"/proc/{process}")
    try:
        text = (facts / "status").read_text()
        children = (facts / "task" / str(process) / "children").read_text().split()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    own = int(found[1]) * 1024 if found else 0
    return max([own, *map(_peak_so_far, map(int, children))])


def print_frame(index: int) -> None:
    """Print that a frame is done, as ``vidstyle run --json`` does.

    Args:
        index: Of the frame.
    """
    sys.stdout.write(json.dumps({"event": "frame", "index": index}) + "\n")
    sys.stdout.flush()


def time_in_turns(
    commands: Mapping[str, Sequence[str]],
    *,
    rounds: int,
    environments: Mapping[str, Mapping[str, str]] | None = None,
    begin: Callable[[str, int], None] = lambda name, number: None,
) -> dict[str, list[Timing]]:
    """Run commands in turns, so that noise falls on all of them.

    Args:
        commands: Program and arguments by name.
        rounds: How often each runs.
        environments: By the commands' names; variables beside those of this process.
        begin: Called before each with its name, and the number of the round from 1.

    Returns:
        Timings by name, one a round.

    Raises:
        UsageError: A command fails.
    """
    found: dict[str, list[Timing]] = {name: [] for name in commands}
    for number in range(1, rounds + 1):
        for name, command in commands.items():
            begin(name, number)
            found[name].append(time_command(command, environment=(environments or {}).get(name)))
    return found


def fastest(timings: Sequence[Timing]) -> Timing:
    """Choose the highest rate: what the machine does when nothing else disturbs it.

    Args:
        timings: Of one command.

    Returns:
        One of them.
    """
    return max(timings, key=lambda timing: timing.rate)
