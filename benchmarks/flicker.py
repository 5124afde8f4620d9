"""How much of the flicker of a frame-by-frame painting a blended one is rid of.

    python benchmarks/flicker.py SOURCE PER_FRAME STYLED [STYLED ...] [--frames N]

PER_FRAME and STYLED are SOURCE painted by pipelines/per-frame.yaml and pipelines/temporal.yaml;
write them as ffv1 (``--set encode.codec=ffv1 --set encode.crf=null``), since a lossy encoder
hides and adds flicker.
The motion that judges is Farneback's, of SOURCE; no pair of frames across a cut counts.
``vidstyle evaluate`` has more figures, and other flows to judge by.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from vidstyle.evaluation.clip_frames import clip_frames, find_cuts
from vidstyle.evaluation.judge import judge_clips
from vidstyle.evaluation.judging_flow import farneback


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path)
    parser.add_argument("per_frame", type=Path)
    parser.add_argument("styled", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=None, help="judge the first N frames")
    given = parser.parse_args()
    paths = {"source": given.source, "per frame": given.per_frame}
    paths |= {path.name: path for path in given.styled}
    report(paths, given.frames)


def report(paths: dict[str, Path], count: int | None) -> None:
    """The first two of ``paths`` are the source and the per-frame clip."""
    source, alone, *_ = paths.values()
    wanted = 0, count
    found = find_cuts(clip_frames(source, wanted))
    judged = judge_clips(
        clip_frames(source, wanted),
        {name: clip_frames(path, wanted) for name, path in paths.items()},
        farneback,
        judge="farneback",
        per_frame=clip_frames(alone, wanted),
        cuts=found,
    )
    one = next(iter(judged.values()))
    pairs = one.frames - 1 - len(one.cuts)
    print(
        f"judge Farneback, {pairs} pairs, coverage {one.coverage:.3f}, cuts {list(found) or 'none'}"
    )
    print(f"{'':24}{'E_warp':>9}{'e_stab':>9}{'D':>7}{'sharp':>7}{'SSIM':>7}")
    for name, judgement in judged.items():
        figures = judgement.figures
        row = f"{name[:23]:24}{figures['e_warp']:9.5f}{figures['e_stab']:9.5f}"
        if name not in ("source", "per frame"):
            row += "".join(f"{figures[key]:7.3f}" for key in ("flicker_removed", "sharpness"))
            row += f"{figures['ssim']:7.3f}"
        print(row)


if __name__ == "__main__":
    main()
