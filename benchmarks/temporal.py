"""Plain ways to reduce flicker against ours: flicker, SSIM, sharpness, ghosting, cost.

    python benchmarks/temporal.py --clips FILE_OR_FOLDER ... --styles NAME_OR_FILE ...
        [--precision float32] [--frames 40] [--width 640] [--weights DIR] [--evaluator raft-small]
        [--work DIR] [--presets FILE ...] [--strengths 0.3 0.5 ...] [--smoothings 0.1 0.2 ...]
        [--still-frames 300] [-o FILE.json] [--plot FILE.png]

A style is a shipped one's name, a style file, or a checkpoint of pytorch/examples (those are not
trained on video: evaluate blends on them). All methods get the same stylized frames and the flow
and visibility of the first preset; another preset may have a flow of its own. Nothing is encoded.

Ours is run at each of the strengths without smoothing, and at each of the smoothings at the
preset's own strength and at full strength.

D is the warping-error reduction; long and first are E_warp at 10 frames and against the shot's
first; ghosts are differences within 5 px of occlusions, and /masked the same over those of the
masked warp at 0.8; static and drift are the deviation and the slope of luma where nothing moves.
Contrast raises E(O)/E(I) and G(O)/G(I) alike, flicker only the first.

Then, line by line: the largest steps of E_warp and of sharpness along strength and along smoothing;
whether there is, for each point of a baseline, a point of ours with less E_warp at no less SSIM and
sharpness; what is left of the noise on a still; whether anything bleeds over cuts; and what the
first preset costs. The exit code is 1 where a preset is not below, or where something bleeds.

Stylized frames and flows are stored in --work by what they depend on: a second run finds them.
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
# Of strength and of smoothing.
STEPS = tuple(round(0.05 * number, 2) for number in range(1, 21))
# The same flow, and what the bidirectional baseline needs besides.
BOTH_WAYS = "flow.directions=both"


def main(arguments: Sequence[str] | None = None) -> None:
    given = parser().parse_args(arguments)
    try:
        if not given.clips or not given.styles:
            raise UsageError("nothing to evaluate: give --clips and --styles")
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
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--clips", type=Path, nargs="+", default=[], help="files or image folders")
    options.add_argument(
        "--styles", nargs="+", default=[], help="names, style files or checkpoints"
    )
    options.add_argument(
        "--precision",
        choices=("float32", "bfloat16", "int8"),
        default="float32",
        help="of the stylizers; float32 is by torch, the others are by OpenVINO",
    )
    options.add_argument("--frames", type=int, default=40, help="of each clip, from its start")
    options.add_argument("--width", type=int, default=640, help="wider clips are made so wide")
    options.add_argument("--weights", type=Path, help="the folder with RAFT's, as VIDSTYLE_WEIGHTS")
    options.add_argument("--evaluator", choices=EVALUATORS, default="raft-small")
    options.add_argument("--work", type=Path, help="a folder that keeps stylized frames and flows")
    options.add_argument(
        "--presets", type=Path, nargs="+", default=PRESETS, help="pipelines of ours"
    )
    options.add_argument("--strengths", type=float, nargs="+", default=STEPS, help="of ours")
    options.add_argument("--smoothings", type=float, nargs="*", default=STEPS, help="of ours")
    options.add_argument("--still-frames", type=int, default=300)
    options.add_argument("--still-width", type=int, default=320)
    options.add_argument("-o", type=Path, metavar="FILE.json", help="write all scores")
    options.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the curves")
    return options


def report(given: argparse.Namespace, store: Store) -> int:
    """Run and print everything; gives the exit code."""
    if given.weights:
        # Flow stages find their weights there too.
        os.environ["VIDSTYLE_WEIGHTS"] = str(given.weights)
    first, *others = given.presets
    settings = Settings(
        clips=given.clips,
        styles=[style_of(text, given.precision) for text in given.styles],
        presets=[Preset(first, (BOTH_WAYS,)), *map(Preset, others)],
        pairs=[(strength, 0.0) for strength in given.strengths]
        + [(strength, one) for strength in (None, 1.0) for one in (0.0, *given.smoothings)],
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
