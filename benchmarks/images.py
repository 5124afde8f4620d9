"""How good stylized images are: style and content together, beside networks of other projects.

    python benchmarks/images.py PHOTOS [PHOTOS ...] [--styles NAME_OR_FILE or NAME=FILE ...]
        [--peers NAME=FILE ...] [--style-images DIR or NAME=FILE ...] [--side 480] [--weights DIR]
        [--precision float32|bfloat16|int8]
        [--faces FOLDER --cascade XML] [--lattice] [--time] [--sheet OUT.jpg] [--json]

NAME is the name of a style image, such as great-wave: all networks of one NAME are compared. A peer
is any file that `vidstyle styles import` takes. A style image is given as NAME=FILE, or found in a
folder by a name that has NAME in it (great_wave_hokusai.jpg); for styles of samples/style_images
none is needed. The photos are those of folders or files that no training saw.

style: distance of Gram matrices to the style image's, 1 for the untouched photos; deep: by the
deepest layer alone; content: distance of features to the photo's, 1 for unrelated photos. Less is
better for all. They are measured by SqueezeNet, which decides, and VGG16, whose weights are in
--weights or VIDSTYLE_WEIGHTS. They change by a factor of two with the photos: only ratios to the
first peer's, of the same run, are comparable. "/ peer" marks them.

--faces: the part of the faces in photos that the cascade also finds in the stylized photos, and the
content distance inside their boxes. lbpcascade_frontalface_improved.xml of OpenCV suits. --lattice:
how far the frequencies of 2, 4 or 8 pixels stand out of the spectrum of stylized flat images, with
noise of 1/255 and ("flat") without any; 1 is no lattice. blobs and specks: what is dead, by image
and by million pixels. --time: processor time of a frame of 640x360, in turns, on one thread.

Two cores take a minute for twelve photos and four networks, and ten for 87 photos of faces.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.core.errors import VidstyleError
from vidstyle.evaluation.compared_styles import (
    ComparedStyle,
    find_style_images,
    list_compared_styles,
)
from vidstyle.evaluation.face_retention import FaceFinder, FaceRetention
from vidstyle.evaluation.image_distances import (
    EVALUATOR_LAYERS,
    STYLE_SIDE,
    ImageComparison,
    load_evaluator_network,
)
from vidstyle.evaluation.lattice import NOISE, flat_images, lattice_peaks, mean_peaks
from vidstyle.imaging.contact_sheet import Image, SheetRow, contact_sheet
from vidstyle.imaging.dead_pixels import blob_fraction, find_dead
from vidstyle.models.style.backends import resolve_precision
from vidstyle.models.style.openvino_stylizer import OpenVinoStylizer
from vidstyle.training.photos import list_photos, read_photo, to_tensor
from vidstyle.training.previews import fit_image, write_image

OWN_STYLE_IMAGES = Path(__file__).parents[1] / "samples" / "style_images"
LARGEST_FACES = 1024
TIMED_SIZE, TIMED_TURNS = (360, 640), 9
CELL, SHOWN = 320, 8
"""Of the sheet: longer side of an image in pixels, and how many photos it has."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", type=Path, nargs="+", help="folders or files, never trained on")
    parser.add_argument("--styles", nargs="+", help="NAME_OR_FILE or NAME=FILE; all that ship")
    parser.add_argument("--peers", nargs="+", default=[], metavar="NAME=FILE")
    parser.add_argument("--style-images", nargs="+", default=[], metavar="DIR or NAME=FILE")
    parser.add_argument("--side", type=int, default=480, help="longer side of the photos")
    parser.add_argument(
        "--precision", choices=get_args(Precision), default="float32", help="of styles and peers"
    )
    parser.add_argument("--weights", type=Path, help="the folder with the evaluators' weights")
    parser.add_argument("--evaluators", nargs="+", default=list(EVALUATOR_LAYERS))
    parser.add_argument("--faces", type=Path, help="a folder of photos of people")
    parser.add_argument("--cascade", type=Path, help="OpenCV's file that finds faces")
    parser.add_argument("--lattice", action="store_true", help="look for lattices")
    parser.add_argument("--time", action="store_true", help="measure processor time")
    parser.add_argument("--sheet", type=Path, help="of photos beside all results, PNG or JPEG")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    given = parser.parse_args(arguments)
    if bool(given.faces) != bool(given.cascade):
        parser.error("--faces and --cascade belong together")
    if unknown := set(given.evaluators) - set(EVALUATOR_LAYERS):
        parser.error(f"no evaluator {', '.join(unknown)}: there are {', '.join(EVALUATOR_LAYERS)}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            report(given, Path(folder))
    except VidstyleError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


def report(given: argparse.Namespace, folder: Path) -> None:
    networks = list_compared_styles(given.styles, given.peers, folder)
    groups = dict.fromkeys(network.group for network in networks)
    style_images = {
        name: fit_image(read_photo(path), STYLE_SIDE)
        for name, path in find_style_images(
            groups, given.style_images, own=OWN_STYLE_IMAGES
        ).items()
    }
    photos = [p for each in given.photos for p in (list_photos(each) if each.is_dir() else [each])]
    measure_photos(networks, photos, style_images, given)
    if given.faces:
        measure_faces(networks, given)
    if given.lattice:
        measure_lattices(networks)
    if given.time:
        measure_time(networks)
    if given.json:
        rows = [
            {"style_image": n.group, "network": n.label, "peer": n.peer, **n.measured}
            for n in networks
        ]
        print(json.dumps({"photos": len(photos), "side": given.side, "networks": rows}))
        return
    for evaluator in given.evaluators:
        print_table(networks, f"{evaluator}, {len(photos)} photos", DISTANCES, evaluator)
    print_table(networks, "other measures", OTHERS)


def measure_photos(
    networks: Sequence[ComparedStyle],
    photos: Sequence[Path],
    style_images: Mapping[str, Image],
    given: argparse.Namespace,
) -> None:
    """Distances and what is dead; the sheet on the way."""
    images = {name: to_tensor(image) for name, image in style_images.items()}
    evaluators = {
        name: load_evaluator_network(name, weights=given.weights) for name in given.evaluators
    }
    comparisons = {name: ImageComparison(one, images) for name, one in evaluators.items()}
    allowed = {name: blob_fraction(_unit(image)) for name, image in style_images.items()}
    stylizers = [stylizer_of(network, given.precision) for network in networks]
    rows: list[SheetRow] = []
    pixels = 0
    for path in photos:
        photo = fit_image(read_photo(path), given.side)
        source = _unit(photo)
        pixels += photo.shape[0] * photo.shape[1]
        results = [stylizer.stylize(source, {"": 1.0}) for stylizer in stylizers]
        stylized: dict[str, dict[str, torch.Tensor]] = {}
        for network, result in zip(networks, results, strict=True):
            dead = find_dead(result, source, allowed_fraction=allowed[network.group])
            _add(network, "blobs", dead.blob_count / len(photos))
            _add(network, "specks", dead.pixel_count)
            stylized.setdefault(network.group, {})[network.label] = _planes(result)
        for comparison in comparisons.values():
            comparison.add(to_tensor(photo), stylized)
        if given.sheet and len(rows) < SHOWN:
            shown = [fit_image(image, CELL) for image in (photo, *map(_pixels, results))]
            rows.append(SheetRow(path.name, tuple(shown)))
    for evaluator, comparison in comparisons.items():
        distances = comparison.distances()
        for network in networks:
            row = asdict(distances[network.group][network.label])
            network.measured.update({f"{evaluator} {name}": value for name, value in row.items()})
    for network in networks:
        network.measured["specks"] *= 1e6 / pixels
    if given.sheet:
        titles = [f"{n.group}\n{'peer ' if n.peer else ''}{n.label}" for n in networks]
        write_image(given.sheet, contact_sheet(rows, ["photo", *titles]))


def stylizer_of(
    network: ComparedStyle, precision: Precision, *, threads: int = 2
) -> OpenVinoStylizer:
    return OpenVinoStylizer({"": network.file}, precision=precision, threads=threads)


def measure_faces(networks: Sequence[ComparedStyle], given: argparse.Namespace) -> None:
    evaluator = load_evaluator_network("squeezenet", weights=given.weights)
    retention = FaceRetention(FaceFinder(given.cascade), evaluator)
    stylizers = [stylizer_of(network, "float32") for network in networks]
    names = [f"{network.group} {network.label}" for network in networks]
    for path in list_photos(given.faces):
        photo = fit_image(read_photo(path), LARGEST_FACES)
        results = [_pixels(each.stylize(_unit(photo), {"": 1.0})) for each in stylizers]
        retention.add(photo, dict(zip(names, results, strict=True)))
    kept, content = retention.kept(), retention.content()
    for name, network in zip(names, networks, strict=True):
        network.measured.update({"faces kept": kept[name], "content in faces": content[name]})
        network.measured["faces"] = retention.faces


def measure_lattices(networks: Sequence[ComparedStyle]) -> None:
    for network in networks:
        stylizer = stylizer_of(network, "float32")
        for name, deviation in (("lattice", NOISE), ("lattice without noise", 0.0)):
            images = flat_images(deviation)
            peaks = mean_peaks([lattice_peaks(stylizer.stylize(i, {"": 1.0})) for i in images])
            network.measured[name] = max(peaks.values())
            network.measured.update({f"{name} of {period}": peaks[period] for period in peaks})


def measure_time(networks: Sequence[ComparedStyle]) -> None:
    """Median processor time of a frame, after one turn that does not count."""
    precision = resolve_precision("auto", "openvino", "cpu")
    stylizers = [stylizer_of(network, precision, threads=1) for network in networks]
    frame = np.random.default_rng(0).random((*TIMED_SIZE, 3), np.float32)
    seconds: list[list[float]] = [[] for _ in networks]
    for _ in range(TIMED_TURNS + 1):
        for stylizer, spent in zip(stylizers, seconds, strict=True):
            started = time.process_time()
            stylizer.stylize(frame, {"": 1.0})
            spent.append(time.process_time() - started)
    for network, spent in zip(networks, seconds, strict=True):
        network.measured["ms a frame"] = 1e3 * float(np.median(spent[1:]))


DISTANCES = {"style": "style", "deep": "style_deep", "content": "content"}
OTHERS = {
    "faces": "faces kept",
    "inside": "content in faces",
    "lattice": "lattice",
    "flat": "lattice without noise",
    "blobs": "blobs",
    "specks": "specks",
    "ms": "ms a frame",
}
"""What a table has, by its columns' titles."""


def print_table(
    networks: Sequence[ComparedStyle], title: str, columns: Mapping[str, str], evaluator: str = ""
) -> None:
    """Each network's row and, below a style's, its ratios to the first peer's."""
    keys = {shown: f"{evaluator} {key}".strip() for shown, key in columns.items()}
    keys = {shown: key for shown, key in keys.items() if key in networks[0].measured}
    print(f"\n{title:30}" + "".join(f"{shown:>8}" for shown in keys))
    for network in networks:
        name = f"{'  peer ' if network.peer else ''}{network.label}"
        print(f"{name[:29]:30}" + "".join(f"{network.measured[key]:8.3f}" for key in keys.values()))
        peers = [n for n in networks if n.peer and n.group == network.group]
        if peers and not network.peer:
            ratios = (
                _ratio(network.measured[key], peers[0].measured[key]) for key in keys.values()
            )
            print(f"{'    / peer':30}" + "".join(f"{ratio:>8}" for ratio in ratios))


def _ratio(own: float, other: float) -> str:
    return f"x{own / other:.2f}" if other else "-"


def _add(network: ComparedStyle, key: str, value: float) -> None:
    network.measured[key] = network.measured.get(key, 0.0) + value


def _unit(image: Image) -> HostArray:
    return image.astype(np.float32) / np.float32(255)


def _planes(image: HostArray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))[None]


def _pixels(image: HostArray) -> Image:
    return np.asarray(np.rint(255 * image.clip(0, 1)), np.uint8)


if __name__ == "__main__":
    main()
