"""What styles are worth: loss on photos they never saw, and how consistent they are on clips.

    python benchmarks/styles.py --photos DIR [--weights DIR] [--style-images DIR NAME=FILE ...]
        [--clips A B C] [--frames N] [--styles NAME_OR_FILE ...]
        [--baseline FILE NAME=FILE ...] [--limit 0.10]

Style loss is a ratio to the same photos untouched; content loss is 1 for an image without any
content. Both by the settings that a style was trained with, on the photos' middles as a training
measures, and on whole photos (1024 pixels at most). Ends with 1 where a style's loss on the middles
is above the limit. The photos also say what each layer's loss is divided by.

A style image is given as NAME=FILE, or found in a folder by a name that has the style's in it:
great_wave_hokusai.jpg for great-wave. For styles of samples/style_images none is needed.

With --clips, styles stylize the first frames one by one, without any blend; Farneback's motion
measures. E is the warping error and G the mean squared gradient, both over the source's: E beyond G
is flicker. --baseline names other styles of the same style images, such as ones trained without the
temporal loss (``--temporal-weight 0``): then the last table says how much less the styles flicker.

Two cores take about half a minute a style for twelve photos of 768x512, and 5 s a style for 24
frames of 640x360.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from vidstyle.core import HostArray
from vidstyle.core.errors import UsageError, VidstyleError
from vidstyle.evaluation.clip_frames import clip_frames, find_cuts
from vidstyle.evaluation.evaluators import farneback
from vidstyle.evaluation.style_losses import StyleLosses, evaluation_settings, whole_image_losses
from vidstyle.evaluation.warping_error import SourceRatios, compare_with_source
from vidstyle.models.loss.objective import Objective
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import SUFFIX, load_style
from vidstyle.models.style.styles import find_style, shipped_styles
from vidstyle.training.objective import load_objective, measure_network
from vidstyle.training.photos import list_photos, read_photo, to_tensor
from vidstyle.training.previews import fit_image

LONGEST = 1024
OWN_STYLE_IMAGES = Path(__file__).parents[1] / "samples" / "style_images"


@dataclass(frozen=True, slots=True)
class EvaluatedStyle:
    """A style and what it is measured by."""

    network: StyleNetwork
    objective: Objective


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--photos", type=Path, required=True, help="a folder, never trained on")
    parser.add_argument("--weights", type=Path, help="the folder with the loss network")
    parser.add_argument("--style-images", nargs="*", default=[], metavar="DIR or NAME=FILE")
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--frames", type=int, default=24, help="of each clip, from its start")
    parser.add_argument(
        "--styles", nargs="*", help="names or style files; all shipped ones if none"
    )
    parser.add_argument("--baseline", nargs="*", default=[], metavar="FILE or NAME=FILE")
    parser.add_argument("--limit", type=float, default=0.10, help="of the style loss")
    try:
        sys.exit(report(parser.parse_args(arguments)))
    except VidstyleError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def report(given: argparse.Namespace) -> int:
    """Print the tables; gives the exit code."""
    shipped = sorted(path.stem for path in shipped_styles().glob(f"*{SUFFIX}"))
    styles = {path.stem: path for path in map(find_style, given.styles or shipped)}
    baselines = named(given.baseline, styles)
    photos = list_photos(given.photos)
    style_images = style_image_files(styles, given.style_images)
    evaluated = {}
    for name, path in styles.items():
        settings = evaluation_settings(path)
        objective = load_objective(settings, style_images[name], photos, given.weights, "cpu")
        evaluated[name] = EvaluatedStyle(load_style(path).module, objective)
        if name in baselines:
            other = load_style(find_style(baselines[name])).module
            evaluated[baseline_of(name)] = EvaluatedStyle(other, objective)
    losses = report_losses(evaluated, photos)
    stable = {clip.stem: report_consistency(evaluated, clip, given.frames) for clip in given.clips}
    if baselines:
        report_baselines(list(baselines), losses, stable)
    above = [name for name in styles if losses[name].style > given.limit]
    print(f"style loss above {given.limit:g}: {', '.join(above) or 'none'}")
    return 1 if above else 0


def baseline_of(name: str) -> str:
    return f"{name} baseline"


def named(written: Sequence[str], names: Mapping[str, Path]) -> dict[str, Path]:
    """Files by the style that they belong to: NAME=FILE, or a file that has its name in its own."""
    found = {}
    for text in written:
        name, equals, file = text.partition("=")
        path = Path(file if equals else text)
        chosen = name if equals else name_in(path.stem, names)
        if chosen not in names:
            raise UsageError(
                f"{text} belongs to none of the styles {', '.join(names)}: write NAME=FILE"
            )
        found[chosen] = path
    return found


def name_in(stem: str, names: Iterable[str]) -> str:
    """The longest of the names that a file's name has as whole words; empty for none."""
    return max((name for name in names if words(name) in words(stem)), key=len, default="")


def words(name: str) -> str:
    return f"-{name}-".lower().replace("_", "-")


def style_image_files(styles: Mapping[str, Path], written: Sequence[str]) -> dict[str, Path]:
    """A style image for each style: as written, or one of our own samples."""
    found: dict[str, Path] = {}
    for folder in (OWN_STYLE_IMAGES, *(Path(text) for text in written if Path(text).is_dir())):
        for path in list_photos(folder):
            if name := name_in(path.stem, styles):
                found[name] = path
    found |= named([text for text in written if not Path(text).is_dir()], styles)
    if missing := [name for name in styles if name not in found]:
        raise UsageError(f"no style image for {', '.join(missing)}: give --style-images NAME=FILE")
    return found


def report_losses(
    evaluated: Mapping[str, EvaluatedStyle], photos: Sequence[Path]
) -> dict[str, StyleLosses]:
    """Print the losses; gives those on the middles."""
    middles = {
        name: measure_network(one.network, one.objective, photos) for name, one in evaluated.items()
    }
    whole = whole_image_losses(
        {name: (one.network, one.objective) for name, one in evaluated.items()}, map(photo, photos)
    )
    print(f"{f'losses on {len(photos)} photos':30}{'middles':>16}{'whole photos':>18}")
    print(f"{'':30}" + 2 * f"{'style':>8}{'content':>8}  ")
    for name in evaluated:
        print(
            f"{name[:29]:30}{middles[name]['style']:8.4f}{middles[name]['content']:8.3f}"
            f"  {whole[name].style:8.4f}{whole[name].content:8.3f}",
            flush=True,
        )
    return {name: StyleLosses(row["style"], row["content"]) for name, row in middles.items()}


def report_consistency(
    evaluated: Mapping[str, EvaluatedStyle], clip: Path, count: int
) -> dict[str, SourceRatios]:
    found = find_cuts(clip_frames(clip, (0, count)))
    stylizers = {name: partial(stylized, one.network) for name, one in evaluated.items()}
    rows = compare_with_source(clip_frames(clip, (0, count)), stylizers, farneback, cuts=found)
    one = next(iter(rows.values())).error
    print(
        f"\n{clip.stem}: flow Farneback, {one.pairs} pairs, coverage {one.coverage:.3f},"
        f" cuts {found or 'none'}\n{'':30}{'E_warp':>9}{'E/source':>10}{'G/source':>10}"
    )
    for name, row in rows.items():
        ratios = f"{row.error_ratio:10.2f}{row.gradient_ratio:10.2f}"
        print(f"{name[:29]:30}{row.error.value:9.5f}{ratios}", flush=True)
    return rows


def report_baselines(
    names: Sequence[str],
    losses: Mapping[str, StyleLosses],
    stable: Mapping[str, Mapping[str, SourceRatios]],
) -> None:
    """The share of the baseline's E_warp that is gone, by clip, and what it costs in style."""
    print(f"\n{'against the baseline':30}{'style':>8}", end="")
    print(
        "".join(f"{clip[:15]:>16}" for clip in stable) + (f"{'E_warp gone':>13}" if stable else "")
    )
    for name in names:
        print(f"{name[:29]:30}{losses[name].style / losses[baseline_of(name)].style:8.3f}", end="")
        gone = [
            1 - rows[name].error.value / rows[baseline_of(name)].error.value
            for rows in stable.values()
        ]
        print("".join(f"{share:16.3f}" for share in gone), end="")
        print(f"{np.mean(gone):13.3f}" if gone else "", flush=True)


def stylized(network: StyleNetwork, image: HostArray) -> HostArray:
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    with torch.inference_mode():
        result = stylize(network, planes[None])[0]
    return np.ascontiguousarray(result.permute(1, 2, 0).numpy())


def photo(path: Path) -> torch.Tensor:
    return to_tensor(fit_image(read_photo(path), LONGEST))


if __name__ == "__main__":
    main()
