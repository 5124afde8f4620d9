"""The network ``fast`` against a 16-channel ``johnson``: speed, size, and style with both.

    python benchmarks/architectures.py [--size 640x360] [--repeats 15] [--threads N] [--compile]
    python benchmarks/architectures.py --fast FILE --johnson FILE --style-image P --photos DIR
        [--weights DIR] [-o sheet.png]

Times are medians of passes that take turns, so that whatever else the machine does falls on both; a
pass is ``stylize``, with the padding that a network asks for. Without style files the weights are
random, which costs the same. With both files of one style image, their style and content losses on
the photos, as a training measures them (style 1 for untouched photos, content 1 for images without
any), by the settings of the fast one; -o writes what both make of the first four photos as a sheet.
About 20 s on two cores, a minute more with --compile, and 40 s for the losses on twelve photos.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from vidstyle.core.errors import UsageError, VidstyleError
from vidstyle.evaluation.style_losses import evaluation_settings, whole_image_losses
from vidstyle.imaging.contact_sheet import Image, SheetRow, contact_sheet
from vidstyle.models.style.architectures import ArchitectureName, empty_network
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import Credit, StyleInfo, load_style, save_style
from vidstyle.training.objective import load_objective, measure_network
from vidstyle.training.photos import list_photos, read_photo, to_tensor
from vidstyle.training.previews import fit_image, write_image

COMPARED: tuple[ArchitectureName, ...] = ("fast", "johnson")
WIDTH = 16
LONGEST, CELL = 1024, 384
"""Longer side in pixels of a photo that is measured, and of one on the sheet."""
SHOWN = 4

Networks = Mapping[str, StyleNetwork]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", default="640x360", help="width x height")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, help="that torch may use; all by default")
    parser.add_argument("--compile", action="store_true", help="also by torch.compile")
    parser.add_argument("--fast", type=Path, help="a style file")
    parser.add_argument("--johnson", type=Path, help="a style file of the same style image")
    parser.add_argument("--style-image", type=Path)
    parser.add_argument("--photos", type=Path, help="a folder, never trained on")
    parser.add_argument("--weights", type=Path, help="the folder with the loss network")
    parser.add_argument("-o", "--output", type=Path, help="the sheet, PNG or JPEG")
    given = parser.parse_args(arguments)
    losses = (given.fast, given.johnson, given.style_image, given.photos)
    if (any(losses) or given.output) and not all(losses):
        parser.error("losses and a sheet need --fast, --johnson, --style-image and --photos")
    try:
        report(given)
    except VidstyleError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def report(given: argparse.Namespace) -> None:
    if given.threads:
        torch.set_num_threads(given.threads)
    files = {name: getattr(given, name) for name in ("fast", "johnson") if getattr(given, name)}
    with tempfile.TemporaryDirectory() as folder:
        files = files or {name: drawn(name, Path(folder)) for name in COMPARED}
        networks = {name: network(name, path) for name, path in files.items()}
        sizes = {name: path.stat().st_size for name, path in files.items()}
    report_speed(networks, sizes, given)
    if given.style_image:
        report_losses(networks, given)
    if given.output:
        photos = list_photos(given.photos)[:SHOWN]
        write_image(given.output, sheet(networks, photos))
        print(f"wrote {given.output}")


def drawn(architecture: ArchitectureName, folder: Path) -> Path:
    """A style file of random weights, as large as one that is trained."""
    made = empty_network(architecture, WIDTH)
    made.initialize(torch.Generator().manual_seed(0))
    path = folder / f"{architecture}.safetensors"
    save_style(path, StyleInfo(architecture, Credit(), architecture, WIDTH), made)
    return path


def network(architecture: str, path: Path) -> StyleNetwork:
    """The network of a file, laid out as ``stylize/feedforward`` has it. Raises UsageError for
    another one than ``architecture`` with 16 channels."""
    style = load_style(path)
    found = (style.info.architecture, style.info.width)
    if found != (architecture, WIDTH):
        raise UsageError(f"{path} is {found[0]} with {found[1]} channels: give {architecture}, 16")
    return style.module.to(memory_format=torch.channels_last)


def report_speed(networks: Networks, sizes: Mapping[str, int], given: argparse.Namespace) -> None:
    width, height = map(int, given.size.split("x"))
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    image = image.contiguous(memory_format=torch.channels_last)
    forms: dict[str, Networks] = {"": networks}
    if given.compile:
        forms["compiled "] = {name: compiled(made) for name, made in networks.items()}
    actions = {
        (name, f"{form}{precision}"): partial(passing, made, image, half=precision == "bfloat16")
        for form, alike in forms.items()
        for name, made in alike.items()
        for precision in ("float32", "bfloat16")
    }
    times = medians(actions, given.repeats)
    names = list(dict.fromkeys(column for _, column in times))
    print(f"{f'{given.size}, {torch.get_num_threads()} threads':20}", end="")
    print("".join(f"{column:>20}" for column in names) + f"{'parameters':>14}{'KiB':>8}")
    for name, made in networks.items():
        print(f"{name:20}" + "".join(f"{times[name, at] * 1e3:17.1f} ms" for at in names), end="")
        count = sum(parameter.numel() for parameter in made.parameters())
        print(f"{count:14,}{sizes[name] / 1024:8.0f}")
    ratios = [times["johnson", at] / times["fast", at] for at in names]
    print(f"{'johnson / fast':20}" + "".join(f"{ratio:20.2f}" for ratio in ratios), flush=True)


def compiled(made: StyleNetwork) -> StyleNetwork:
    # It has the network's attributes, but torch only says that it can be called.
    return cast("StyleNetwork", torch.compile(made))


def passing(made: nn.Module, image: torch.Tensor, *, half: bool) -> None:
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        stylize(made, image)


def medians(
    actions: Mapping[tuple[str, str], Callable[[], None]], repeats: int
) -> dict[tuple[str, str], float]:
    """Median seconds of actions that take turns, after one turn that does not count."""
    seconds: dict[tuple[str, str], list[float]] = {name: [] for name in actions}
    for _ in range(repeats + 1):
        for name, action in actions.items():
            started = time.perf_counter()
            action()
            seconds[name].append(time.perf_counter() - started)
    return {name: float(np.median(spent[1:])) for name, spent in seconds.items()}


def report_losses(networks: Networks, given: argparse.Namespace) -> None:
    photos = list_photos(given.photos)
    settings = evaluation_settings(given.fast)
    objective = load_objective(settings, given.style_image, photos, given.weights, "cpu")
    pairs = {name: (made, objective) for name, made in networks.items()}
    whole = whole_image_losses(pairs, (to_tensor(small(path, LONGEST)) for path in photos))
    middles = {name: measure_network(made, objective, photos) for name, made in networks.items()}
    print(f"\n{f'losses on {len(photos)} photos':20}{'middles':>16}{'whole photos':>18}")
    print(f"{'':20}" + 2 * f"{'style':>8}{'content':>8}  ")
    for name, row in middles.items():
        line = f"{name:20}{row['style']:8.4f}{row['content']:8.3f}"
        print(f"{line}  {whole[name].style:8.4f}{whole[name].content:8.3f}")
    ratio = middles["fast"]["style"] / middles["johnson"]["style"]
    both = whole["fast"].style / whole["johnson"].style
    print(f"{'fast / johnson':20}{ratio:8.3f}{both:18.3f}", flush=True)


def sheet(networks: Networks, photos: Sequence[Path]) -> Image:
    rows = []
    for path in photos:
        photo = small(path, CELL)
        rows.append(SheetRow(path.name, (photo, *(shown(one, photo) for one in networks.values()))))
    return contact_sheet(rows, ["photo", *networks])


def shown(made: StyleNetwork, photo: Image) -> Image:
    with torch.inference_mode():
        stylized = stylize(made, to_tensor(photo))[0].permute(1, 2, 0)
    return np.asarray((255.0 * stylized).round().to(torch.uint8).contiguous().numpy())


def small(path: Path, side: int) -> Image:
    return fit_image(read_photo(path), side)


if __name__ == "__main__":
    main()
