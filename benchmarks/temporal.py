"""Every plain way to steady a painting against ours: flicker, perceptual, sharpness, ghosts, cost.

    python benchmarks/temporal.py --clips FILE_OR_FOLDER ... --styles NAME_OR_FILE ...
        [--frames 40] [--width 640] [--weights DIR] [--evaluator raft-small] [--work DIR]
        [--presets FILE ...] [--strengths 0.3 0.5 ...] [--still-frames 300] [-o FILE.json]
        [--plot FILE.png]

A style is a shipped one's name, a style file, or a checkpoint of pytorch/examples (those never
learned to be steady: judge blends on them). All methods get the same frames painted one by one and
the flow and visibility of the first preset; another preset may have a flow of its own. Nothing is
encoded.

D is the share of the per-frame E_warp that is gone; long and first are E_warp at 10 frames and
against the shot's first; ghosts are differences within 5 px of occlusions, and /masked the same
over those of the masked warp at 0.8; static and drift are the deviation and the slope of luma
where nothing moves. Contrast raises E(O)/E(I) and G(O)/G(I) alike, flicker the first alone.

Then, line by line: whether there is, for each point of a baseline, a strength of ours with less
E_warp at no less SSIM and sharpness; what is left of the noise on a still; whether anything bleeds
over cuts; and what the first preset costs. Ends with 1 where a preset is not below, or where
something bleeds.

Paintings and flows are kept in --work by what they were made from: a second run finds them there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from consistency.bench import Settings, run, write_json  # type: ignore[import-not-found]  # beside
from consistency.curves import draw  # type: ignore[import-not-found]  # this file
from consistency.footage import style_of  # type: ignore[import-not-found]
from consistency.presets import Preset  # type: ignore[import-not-found]
from consistency.store import Store  # type: ignore[import-not-found]

from vidstyle.core.errors import UsageError, VidstyleError
from vidstyle.evaluation.evaluators import EVALUATORS

PIPELINES = Path(__file__).parents[1] / "pipelines"
PRESETS = (PIPELINES / "temporal.yaml", PIPELINES / "temporal-quality.yaml")
STRENGTHS = (
    0.2,
    0.3,
    0.5,
    0.55,
    0.6,
    0.7,
    0.8,
    0.85,
    0.9,
    0.91,
    0.92,
    0.93,
    0.95,
    0.97,
    0.985,
    1.0,
)
# Close enough that hardly a point of another curve falls between two of ours.
BOTH_WAYS = "flow.directions=both"
# The same flow, and what the bidirectional baseline needs besides.


def main(arguments: Sequence[str] | None = None) -> None:
    given = parser().parse_args(arguments)
    try:
        if not given.clips or not given.styles:
            raise UsageError("nothing to evaluator: give --clips and --styles")
        if len({path.stem for path in given.clips}) < len(given.clips):
            raise UsageError("two clips have one name: rename one of them")
        if len({path.stem for path in given.presets}) < len(given.presets):
            raise UsageError("two presets have one name: rename one of them")
        if given.frames < 2 or given.still_frames < 2 or given.width < 16:
            raise UsageError("wanted at least 2 frames, and a width of at least 16")
        with tempfile.TemporaryDirectory() as folder:
            sys.exit(report(given, Store(given.work or Path(folder))))
    except VidstyleError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    made.add_argument("--clips", type=Path, nargs="+", default=[], help="files or image folders")
    made.add_argument("--styles", nargs="+", default=[], help="names, style files or checkpoints")
    made.add_argument("--frames", type=int, default=40, help="of each clip, from its start")
    made.add_argument("--width", type=int, default=640, help="wider clips are made so wide")
    made.add_argument("--weights", type=Path, help="the folder with RAFT's, as VIDSTYLE_WEIGHTS")
    made.add_argument("--evaluator", choices=EVALUATORS, default="raft-small")
    made.add_argument("--work", type=Path, help="a folder that keeps paintings and flows")
    made.add_argument("--presets", type=Path, nargs="+", default=PRESETS, help="pipelines of ours")
    made.add_argument("--strengths", type=float, nargs="+", default=STRENGTHS, help="of ours")
    made.add_argument("--still-frames", type=int, default=300)
    made.add_argument("--still-width", type=int, default=320)
    made.add_argument("-o", type=Path, metavar="FILE.json", help="write all figures")
    made.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the curves")
    return made


def report(given: argparse.Namespace, store: Store) -> int:
    """Run and print everything; gives the exit code."""
    if given.weights:
        # Flow stages find their weights there too.
        os.environ["VIDSTYLE_WEIGHTS"] = str(given.weights)
    first, *others = given.presets
    settings = Settings(
        clips=given.clips,
        styles=[style_of(text) for text in given.styles],
        presets=[Preset(first, (BOTH_WAYS,)), *map(Preset, others)],
        strengths=given.strengths,
        frames=given.frames,
        width=given.width,
        evaluator=given.evaluator,
        weights=given.weights,
        still_frames=given.still_frames,
        still_width=given.still_width,
        store=store,
    )
    outcome = run(settings)
    if given.o:
        write_json(given.o, settings, outcome)
    if given.plot:
        names = dict.fromkeys(row.style for row in outcome.means)
        draw(
            given.plot,
            {name: [row for row in outcome.means if row.style == name] for name in names},
        )
    return 0 if outcome.holds else 1


if __name__ == "__main__":
    main()
