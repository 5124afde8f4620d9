"""How much a style depends on weights and style image, with calibrated loss terms and without.

    python benchmarks/sensitivity.py --photos DIR STYLE_IMAGE STYLE_IMAGE ... [--weights DIR]
        [--iterations 150] [--crop 128] [--kinds calibrated tuned raw] [--start base]

One short training on single images for each style image, style weight (0.5, 1, 2) and kind of loss:

calibrated  each term divided by its value on untouched photos for this style image: ours.
tuned       divided by the values for the first style image, whatever the others: weights that were
            found for one style image and kept. On that one it is the same as calibrated.
raw         nothing divided: the Gram losses of all layers are added as they are, under one weight
            such that on the first style image style counts as much against content as calibrated.

All are measured alike, in calibrated units, on photos held out of the folder: style is a ratio to
untouched photos, content is 1 for an image without content. At the end, how far apart the largest
and the smallest loss are: over the style images at weight 1, and over the weights within one
(the mean of the style images). A training takes about 20 s on two cores, and the 33 of four
style images 11 minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidstyle.core.errors import VidstyleError
from vidstyle.models.loss.objective import Objective
from vidstyle.models.style.styles import base_network
from vidstyle.training.objective import load_objective, measure_network, settings_of
from vidstyle.training.photos import PhotoCrops, hold_out, list_photos
from vidstyle.training.run import new_run, take_step
from vidstyle.training.settings import TrainingSettings

KINDS = ("calibrated", "tuned", "raw")
FACTORS = (0.5, 1.0, 2.0)
HELD_OUT = 12


@dataclass(frozen=True, slots=True)
class Row:
    """What one training came to."""

    kind: str
    style_image: str
    factor: float
    style: float
    content: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("style_images", type=Path, nargs="+", help="the first one sets the weights")
    parser.add_argument("--photos", type=Path, required=True, help="a folder to train on")
    parser.add_argument("--weights", type=Path, help="the folder with the loss network")
    parser.add_argument("--iterations", type=int, default=150)
    parser.add_argument("--crop", type=int, default=128)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--start", choices=("base", "random"), help="base where a base network ships"
    )
    try:
        report(parser.parse_args(arguments))
    except VidstyleError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def report(given: argparse.Namespace) -> None:
    """Print a row as soon as it is trained, and the spreads at the end."""
    settings = short_settings(given)
    training, measuring = hold_out(list_photos(given.photos), HELD_OUT)
    print(
        f"{settings.iterations} iterations at {settings.crop} pixels,"
        f" {settings.initial_weights} weights at the start"
    )
    print(f"{'loss terms':12}{'style image':28}{'weight':>7}{'style':>9}{'content':>9}", flush=True)
    rows: list[Row] = []
    first: Objective | None = None
    known: dict[str, Mapping[str, float]] = {}
    for style_image in given.style_images:
        own = load_objective(settings, style_image, training, given.weights, "cpu")
        first = first or own
        for kind in given.kinds:
            for factor in FACTORS:
                objective = weighed(divided(own, first, kind), factor)
                # The first style image's own weights are found twice, and trained once.
                key = f"{style_image} {factor} {objective.units}"
                if key not in known:
                    known[key] = trained(objective, own, training, measuring)
                losses = known[key]
                rows.append(Row(kind, style_image.stem, factor, losses["style"], losses["content"]))
                print_row(rows[-1])
    report_spread(rows, given.kinds)


def short_settings(given: argparse.Namespace) -> TrainingSettings:
    """Without the temporal loss: weights of style and content alone are compared."""
    default = TrainingSettings()
    ships = base_network(default.architecture, default.width).is_file()
    return TrainingSettings(
        iterations=given.iterations,
        crop=given.crop,
        initial_weights=given.start or ("base" if ships else "random"),
        temporal_weight=0.0,
    )


def divided(own: Objective, first: Objective, kind: str) -> Objective:
    """The objective with the divisors of its kind; ``first`` is that of the first style image."""
    if kind == "calibrated":
        return own
    if kind == "tuned":
        return replace(own, units=first.units)
    # One divisor for all layers is one weight before the plain sum: that which makes the style
    # loss of untouched photos 1 on the first style image. Content does not depend on a style image.
    common = float(np.mean(first.units["style"]))
    return replace(own, units={**first.units, "style": (common,) * len(first.units["style"])})


def weighed(objective: Objective, factor: float) -> Objective:
    """The objective with its style weight times ``factor``."""
    weight = factor * objective.options.style_weight
    return replace(objective, options=objective.options.model_copy(update={"style_weight": weight}))


def trained(
    objective: Objective, own: Objective, training: Sequence[Path], measuring: Sequence[Path]
) -> Mapping[str, float]:
    """Losses by ``own``, on held-out photos, of a network trained on ``objective``."""
    settings = settings_of(objective)
    run = new_run(settings)
    photos = PhotoCrops(training, settings.crop, run.generator)
    while run.iteration < settings.iterations:
        take_step(run, objective, photos.draw(settings.batch))
    return measure_network(run.network, own, measuring)


def print_row(row: Row) -> None:
    print(
        f"{row.kind:12}{row.style_image[:27]:28}{row.factor:7g}{row.style:9.4f}{row.content:9.3f}",
        flush=True,
    )


def report_spread(rows: Sequence[Row], kinds: Sequence[str]) -> None:
    print(f"\n{'largest over smallest':24}{'over style images':>18}{'over weights':>20}")
    print(f"{'':24}" + 2 * f"{'style':>9}{'content':>9}  ")
    for kind in kinds:
        mine = [row for row in rows if row.kind == kind]
        alike = [row for row in mine if row.factor == 1]
        style_images = dict.fromkeys(row.style_image for row in mine)
        within = [spread([row for row in mine if row.style_image == name]) for name in style_images]
        values = (*spread(alike), *np.mean(within, axis=0))
        print(f"{kind:24}" + "{:9.2f}{:9.2f}  {:9.2f}{:9.2f}".format(*values), flush=True)


def spread(rows: Sequence[Row]) -> tuple[float, float]:
    """Largest over smallest style loss, and content loss."""
    styles, contents = ([getattr(row, term) for row in rows] for term in ("style", "content"))
    return max(styles) / min(styles), max(contents) / min(contents)


if __name__ == "__main__":
    main()
