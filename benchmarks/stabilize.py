"""What ``vidstyle stabilize`` makes of clips as other tools deliver them, beside plain ways.

    python benchmarks/stabilize.py --clips FILE ... --styles NAME_OR_FILE ... [--frames 24]
        [--width 480] [--weights DIR] [--evaluator raft-small] [--work DIR] [--only WORDS ...]
        [--set STAGE.OPTION=VALUE ...] [--sheet FILE.png] [-o FILE.json]

Each clip is stylized frame by frame, and written as another tool would deliver it: without loss, as
H.264 (crf 23), at half the frame rate, at 24/25 of it, at three quarters and at one and a half
times the size. Then it is stabilized.

difference: mean, of 255, of the lossless one to what ``temporal`` gives for the same network.
D is the warping-error reduction and sharp the sharpness, both against the delivered clip as it is
decoded, scaled to the original's size, and shown at the original's times: each frame until the next
one comes. At another rate "own" measures at the frames alone that the delivered clip has: between
them it stands still while the original moves, which is an error that is easy to remove.

The moving average (0.5) and the masked warp (0.8) get the same frames, and the warp the flow of
`temporal`. Nothing that is measured was encoded with loss after the blend.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from consistency.candidates import KeptFlow  # type: ignore[import-not-found]  # beside this file
from consistency.delivered import (  # type: ignore[import-not-found]
    DELIVERIES,
    Delivery,
    Original,
    deliver,
    images_of,
    write_original,
)
from consistency.footage import style_of  # type: ignore[import-not-found]
from consistency.presets import Preset, frames_of  # type: ignore[import-not-found]
from consistency.store import Kept, Store  # type: ignore[import-not-found]

import vidstyle
from vidstyle.core import HostArray
from vidstyle.core.errors import UsageError, VidstyleError
from vidstyle.evaluation.baselines import masked_warp, moving_average
from vidstyle.evaluation.evaluators import EVALUATORS
from vidstyle.evaluation.frame_groups import group_frames
from vidstyle.evaluation.frame_metrics import edge_variance
from vidstyle.evaluation.motion import PairFlow
from vidstyle.evaluation.warping_error import WarpingSums, warping_error_reduction
from vidstyle.imaging.contact_sheet import SheetRow, contact_sheet

PRESET = Path(__file__).parents[1] / "pipelines" / "temporal.yaml"
OURS, DELIVERED, TEMPORAL, DIFFERENCE = "stabilize", "delivered", "temporal", "difference"
PLAIN = {
    "moving average": partial(moving_average, weight=0.5),
    "masked warp": partial(masked_warp, strength=0.8),
}
METRICS = ("warping_error_reduction", "sharpness", DIFFERENCE)


@dataclass(frozen=True, slots=True)
class Row:
    """The scores of one method on one delivered clip."""

    style: str
    clip: str
    delivery: str
    method: str
    scores: Mapping[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    given = parser().parse_args(arguments)
    try:
        if not given.clips or not given.styles:
            raise UsageError("nothing to stabilize: give --clips and --styles")
        if given.weights:
            os.environ["VIDSTYLE_WEIGHTS"] = str(given.weights)
        with tempfile.TemporaryDirectory() as folder:
            rows = list(measure_all(given, Store(given.work or Path(folder)), Path(folder)))
    except VidstyleError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    print_means(rows)
    if given.o:
        given.o.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--clips", type=Path, nargs="+", default=[])
    options.add_argument(
        "--styles", nargs="+", default=[], help="names, style files or checkpoints"
    )
    options.add_argument("--frames", type=int, default=24, help="of each clip, from its start")
    options.add_argument("--width", type=int, default=480, help="wider clips are made so wide")
    options.add_argument("--weights", type=Path, help="the folder with RAFT's, as VIDSTYLE_WEIGHTS")
    options.add_argument("--evaluator", choices=EVALUATORS, default="raft-small")
    options.add_argument("--work", type=Path, help="a folder that keeps clips and flows")
    options.add_argument("--only", nargs="+", choices=DELIVERIES, default=list(DELIVERIES))
    options.add_argument("--set", nargs="+", default=[], help="options of the stabilization")
    options.add_argument("--sheet", type=Path, metavar="FILE.png", help="frames beside each other")
    options.add_argument("-o", type=Path, metavar="FILE.json", help="write all scores")
    return options


def measure_all(given: argparse.Namespace, store: Store, folder: Path) -> Iterator[Row]:
    """Print and give the rows, clip by clip; draw the sheet."""
    flow = KeptFlow(given.evaluator, given.weights, store)
    sheet: list[SheetRow] = []
    print(f"evaluator {given.evaluator}, first {given.frames} frames")
    for text in given.styles:
        style = style_of(text)
        for path in given.clips:
            original = write_original(
                path, style, frames=given.frames, width=given.width, store=store
            )
            for name in given.only:
                delivery = deliver(original, DELIVERIES[name], store)
                output = stabilized(original, delivery, folder, given.set)
                shown = delivery.shown(original, store)
                methods = {OURS: list(images_of(output)), **plain(original, shown, store)}
                if given.sheet:
                    sheet.append(sheet_row(f"{original.name}, {name}", original, shown, methods))
                for row in evaluated(original, name, delivery, shown, methods, flow):
                    print(line(row), flush=True)
                    yield row
    if given.sheet:
        import cv2

        columns = ["original", "delivered", *methods]
        cv2.imwrite(str(given.sheet), contact_sheet(sheet, columns)[..., ::-1])


def stabilized(
    original: Original, delivery: Delivery, folder: Path, changes: Sequence[str]
) -> Path:
    """The clip that the command writes, without loss."""
    output = folder / "stable.mkv"
    options = {"inputs.image": str(delivery.path), "encode.codec": "ffv1"}
    options |= {"encode.pixel_format": "bgr0"} | dict(map(option_of, changes))
    vidstyle.run("stabilize", original.source, output, options=options, overwrite=True)
    return output


def option_of(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    return name, yaml.safe_load(value)


def plain(original: Original, shown: Kept, store: Store) -> dict[str, list[HostArray]]:
    """What the plain ways make of the same frames."""
    motion = Preset(PRESET).motion(original.footage, store)
    return {
        name: list(blend(frames_of(original.footage, motion, shown)))
        for name, blend in PLAIN.items()
    }


def evaluated(
    original: Original,
    name: str,
    delivery: Delivery,
    shown: Kept,
    methods: Mapping[str, Sequence[HostArray]],
    flow: PairFlow,
) -> Iterator[Row]:
    """Rows at the original's frames, and at the delivered clip's own where those are fewer."""
    everything = range(len(shown))
    for label, chosen in {name: everything, f"{name}, own": delivery.own_frames}.items():
        if label != name and len(chosen) == len(everything):
            continue
        clips = {DELIVERED: shown, **methods, TEMPORAL: list(images_of(original.temporal))}
        some = {key: [images[at] for at in chosen] for key, images in clips.items()}
        found = scores_of([original.footage.frames[at] for at in chosen], some, flow)
        for method in methods:
            apart = difference(zip(some[method], some[TEMPORAL], strict=True))
            scores = {**found[method], DIFFERENCE: apart}
            yield Row(original.style, original.clip, label, method, scores)


def scores_of(
    source: Sequence[HostArray], clips: Mapping[str, Sequence[HostArray]], flow: PairFlow
) -> dict[str, dict[str, float]]:
    """D and sharpness of each clip beside the delivered one, by the evaluation's definitions.

    Its other metrics would take most of the time.
    """
    warping = {name: WarpingSums() for name in clips}
    edges = dict.fromkeys(clips, 0.0)
    for group in group_frames([("source", source), *clips.items()], flow):
        pair = group.pairs.get("near")
        for at, name in enumerate(clips, 1):
            edges[name] += edge_variance(group.frames[at])
            if pair:
                warping[name].add(pair.earlier[at], group.frames[at], pair.motion)
    before = warping[DELIVERED].result()
    return {
        name: {
            METRICS[0]: warping_error_reduction(warping[name].result(), before),
            METRICS[1]: edges[name] / edges[DELIVERED],
        }
        for name in clips
    }


def difference(pairs: Iterable[tuple[HostArray, HostArray]]) -> float:
    """Mean absolute difference, of 255."""
    return 255 * float(np.mean([np.abs(one - other).mean() for one, other in pairs]))


def line(row: Row) -> str:
    numbers = "".join(f"{row.scores[key]:8.3f}" for key in METRICS)
    return f"{row.style} on {row.clip}, {row.delivery}"[:60].ljust(62) + f"{row.method:16}{numbers}"


def print_means(rows: Sequence[Row]) -> None:
    """D and sharpness by style and delivery, each the mean over the clips."""
    methods = list(dict.fromkeys(row.method for row in rows))
    print("\n| style | delivered | " + " | ".join(f"{name}: D | sharp" for name in methods) + " |")
    print("|---|---|" + "---|---|" * len(methods))
    for style, delivery in dict.fromkeys((row.style, row.delivery) for row in rows):
        cells = []
        for method in methods:
            key = (style, delivery, method)
            some = [row.scores for row in rows if (row.style, row.delivery, row.method) == key]
            cells += [f"{np.mean([one[name] for one in some]):.3f}" for name in METRICS[:2]]
        print(f"| {style} | {delivery} | " + " | ".join(cells) + " |")


def sheet_row(
    label: str, original: Original, shown: Kept, methods: Mapping[str, Sequence[HostArray]]
) -> SheetRow:
    """One frame late in the clip, not one of a delivered clip's own at half rate."""
    at = 2 * (len(shown) // 3) + 1
    images = [original.footage.frames[at], shown[at], *(frames[at] for frames in methods.values())]
    return SheetRow(label, tuple((255 * image).round().astype(np.uint8) for image in images))


if __name__ == "__main__":
    main()
