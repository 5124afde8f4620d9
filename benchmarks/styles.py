"""How consistent styles are on clips by themselves, without any blend.

    python benchmarks/styles.py CLIP [CLIP ...] [--frames N] [--styles NAME_OR_FILE ...]
        [--baseline FILE or NAME=FILE ...]

Styles stylize the first frames one by one; Farneback's motion measures. E is the warping error and
G the mean squared gradient, both over the source's: E beyond G is flicker. --baseline names other
styles of the same style images, such as ones trained without the temporal loss (``--temporal-weight
0``): then the last table says how much less the styles flicker. How good the images are is measured
by ``benchmarks/images.py``.

Two cores take 5 s a style for 24 frames of 640x360.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from vidstyle.core import HostArray
from vidstyle.core.errors import UsageError, VidstyleError
from vidstyle.evaluation.clip_frames import clip_frames, find_cuts
from vidstyle.evaluation.compared_styles import name_within
from vidstyle.evaluation.evaluators import farneback
from vidstyle.evaluation.warping_error import SourceRatios, compare_with_source
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import SUFFIX, load_style
from vidstyle.models.style.styles import find_style, shipped_styles


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--frames", type=int, default=24, help="of each clip, from its start")
    parser.add_argument("--styles", nargs="*", help="names or style files; all that ship if none")
    parser.add_argument("--baseline", nargs="*", default=[], metavar="FILE or NAME=FILE")
    try:
        report(parser.parse_args(arguments))
    except VidstyleError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def report(given: argparse.Namespace) -> None:
    shipped = sorted(path.stem for path in shipped_styles().glob(f"*{SUFFIX}"))
    styles = {path.stem: path for path in map(find_style, given.styles or shipped)}
    baselines = named(given.baseline, styles)
    networks = {}
    for name, path in styles.items():
        networks[name] = load_style(path).module
        if name in baselines:
            networks[baseline_of(name)] = load_style(find_style(baselines[name])).module
    ratios = {clip.stem: report_consistency(networks, clip, given.frames) for clip in given.clips}
    if baselines:
        report_baselines(list(baselines), ratios)


def baseline_of(name: str) -> str:
    return f"{name} baseline"


def named(written: Sequence[str], names: Mapping[str, Path]) -> dict[str, Path]:
    """Files by the style that they belong to: NAME=FILE, or a file that has its name in its own."""
    found = {}
    for text in written:
        name, equals, file = text.partition("=")
        path = Path(file if equals else text)
        chosen = name if equals else name_within(path.stem, names)
        if chosen not in names:
            raise UsageError(
                f"{text} belongs to none of the styles {', '.join(names)}: write NAME=FILE"
            )
        found[chosen] = path
    return found


def report_consistency(
    networks: Mapping[str, StyleNetwork], clip: Path, count: int
) -> dict[str, SourceRatios]:
    found = find_cuts(clip_frames(clip, (0, count)))
    stylizers = {name: partial(stylized, network) for name, network in networks.items()}
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
    names: Sequence[str], ratios: Mapping[str, Mapping[str, SourceRatios]]
) -> None:
    """The part of the baseline's E_warp that is gone, by clip."""
    print(f"\n{'E_warp less than the baseline':30}", end="")
    print("".join(f"{clip[:15]:>16}" for clip in ratios) + f"{'mean':>9}")
    for name in names:
        gone = [
            1 - rows[name].error.value / rows[baseline_of(name)].error.value
            for rows in ratios.values()
        ]
        print(f"{name[:29]:30}" + "".join(f"{part:16.3f}" for part in gone), end="")
        print(f"{np.mean(gone):9.3f}", flush=True)


def stylized(network: StyleNetwork, image: HostArray) -> HostArray:
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    with torch.inference_mode():
        result = stylize(network, planes[None])[0]
    return np.ascontiguousarray(result.permute(1, 2, 0).numpy())


if __name__ == "__main__":
    main()
