"""Runs vidstyle on damaged files and odd words, and says where it does not end as documented.

    python benchmarks/fuzz.py [--cases 2000] [--seed 0] [--kind KIND] [--only NUMBER] [--keep DIR]

A case is a clip, the sound and subtitles of one, a folder of images, a photo, a pipeline, a style,
a network of another project, a side input, the store of an interrupted run, two clips to evaluate,
or options, randomly damaged.
Each runs in a process of its own without network, with 20 seconds and 2 GiB beyond what the
imports take. It must end in a documented exit code and one line, leave nothing behind but its
output, and run no code beside it. A run that resumes from a damaged store must make the frames
of a run without one. Ends with 1 where that does not hold.

A fault is made again with the same ``--seed`` and ``--only`` its number; ``--keep`` then leaves its
files in a folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import torch

from tests.fuzz.cases import KINDS, Case, make_case, run_case
from tests.fuzz.confined import Outcome
from tests.fuzz.seeds import Seeds, make_seeds

LAZY = (
    "vidstyle.evaluation.network_metrics",
    "vidstyle.evaluation.file_evaluation",
    "vidstyle.evaluation.evaluators",
    "vidstyle.cli.evaluation_text",
    "vidstyle.cli.plan_text",
    "vidstyle.cli.progress",
    "vidstyle.imaging.contact_sheet",
    "vidstyle.models.style.style_import",
    "vidstyle.runner.job",
    "vidstyle.runner.estimate",
    "vidstyle.stages.flow.raft",
    "vidstyle.stages.stylize.feedforward",
    "vidstyle.training.photos",
    "vidstyle.training.previews",
)
"""Imported by commands when they need them; here once, before all of them."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=tuple(KINDS), help="cases of one kind alone")
    parser.add_argument("--only", type=int, help="the number of one case")
    parser.add_argument("--keep", type=Path, help="a new folder for the files of --only")
    given = parser.parse_args(arguments)
    # One core: images this small lose more to waiting threads than they gain by them.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    # As `vidstyle` does before it loads OpenCV, which here is loaded once for all.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    for name in LAZY:
        import_module(name)
    seeds = make_seeds()
    if given.only is None:
        first, step = (tuple(KINDS).index(given.kind), len(KINDS)) if given.kind else (0, 1)
        numbers = islice(count(first, step), given.cases)
        sys.exit(1 if fuzzed(seeds, given.seed, numbers) else 0)
    with TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch) / "case"
        shown(make_case(seeds, given.seed, given.only), folder)


def fuzzed(seeds: Seeds, seed: int, numbers: Iterable[int]) -> int:
    """Run the cases, print what became of them, and give the number of faults."""
    started, slowest = time.perf_counter(), (0.0, 0)
    ends: Counter[tuple[str, str]] = Counter()
    faults = []
    for number in numbers:
        case = make_case(seeds, seed, number)
        with TemporaryDirectory() as scratch:
            outcome, found = run_case(case, Path(scratch))
        ends[case.kind, ending(outcome)] += 1
        slowest = max(slowest, (outcome.seconds, number))
        if found:
            faults.append(f"--seed {seed} --only {number} ({case.kind}): {'; '.join(found)}")
            print(faults[-1], flush=True)
    print_table(ends)
    print(
        f"{ends.total()} cases in {time.perf_counter() - started:.0f} s,"
        f" the slowest ({slowest[1]}) {slowest[0]:.1f} s; {len(faults)} faults"
    )
    return len(faults)


def ending(outcome: Outcome) -> str:
    """The exit code, or the signal."""
    return outcome.signal or str(outcome.code)


def print_table(ends: Counter[tuple[str, str]]) -> None:
    """Cases by kind and by how they ended."""
    columns = sorted({end for _, end in ends}, key=lambda end: (len(end), end))
    print("| kind | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for kind in dict.fromkeys(kind for kind, _ in ends):
        print(f"| {kind} | " + " | ".join(str(ends[kind, end]) for end in columns) + " |")


def shown(case: Case, folder: Path) -> None:
    """Run one case and print all about it."""
    folder.mkdir()
    outcome, found = run_case(case, folder)
    print(f"vidstyle {' '.join(case.arguments)!a}")
    print(f"ends in {ending(outcome)} after {outcome.seconds:.1f} s, {outcome.memory >> 20} MiB")
    print(outcome.out, outcome.err, *found, sep="\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
