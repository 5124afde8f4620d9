"""Makes the styles that ship with vidstyle, their cards and their previews.

    python scripts/ship_styles.py train --style-images DIR --photos DIR --weights DIR --from DIR \
        [NAME ...]
    python scripts/ship_styles.py ranges --photos DIR --evaluated-on DIR [NAME ...]
    python scripts/ship_styles.py cards --style-images DIR --evaluated-on DIR [NAME ...]

``train`` trains each style that is not there yet by one setting, from a style of an earlier
version in the folder ``--from``, and resumes what a killed call left. ``ranges`` measures again
what convolutions in 8 bits need, and writes it into the style. ``cards`` measures every
style on photos that it was not trained on, and writes the card beside it, its preview and the
contact sheet of all. Style images are found by file name in DIR, our own in samples/style_images.
Previews are of photos that scikit-image brings, all public domain or CC0.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from samples.photos import PHOTOS
from vidstyle.evaluation.style_losses import evaluation_settings
from vidstyle.imaging.contact_sheet import SheetRow, contact_sheet
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import SUFFIX, Credit, load_style, save_style
from vidstyle.models.style.style_weights import load_style_weights
from vidstyle.models.style.styles import shipped_styles
from vidstyle.training.eight_bits import measure_on_squares, spread_photos
from vidstyle.training.loop import train_style
from vidstyle.training.objective import load_objective, measure_network
from vidstyle.training.photos import list_photos, resize_photo, to_tensor
from vidstyle.training.previews import write_image
from vidstyle.training.settings import TrainingSettings
from vidstyle.training.watch import TrainingStep

ROOT = Path(__file__).resolve().parents[1]
PREVIEWS = ROOT / "docs" / "styles"
OWN_STYLE_IMAGES = ROOT / "samples" / "style_images"

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Shipped:
    """A style that ships, and the image it is learned from."""

    title: str
    file: str
    """Of the style image."""
    style_image: str
    """Artist, title and year."""
    license: str = "public domain"
    rounds: int = 2
    """How often it went ``STEPS`` further."""
    grown_from: str = ""
    """The style whose first version was this style's first start; its own if there is none."""

    def path(self, folder: Path) -> Path:
        """The style image: in our own samples, or in a folder of style images."""
        own = OWN_STYLE_IMAGES / self.file
        return own if own.is_file() else folder / self.file


STEPS, RAMP = 600, 0.1
"""Of the last stage of the training. It starts at the style itself, so that the terms which hold to
the photo need not wait for strokes."""
SHEET_COLUMNS, SHEET_PHOTOS = 8, 2
OWN = "drawn by the vidstyle authors' own code"

SHIPPED = {
    "composition-vii": Shipped(
        "Composition VII",
        "composition_vii_kandinsky.jpg",
        "Wassily Kandinsky, Composition VII, 1913",
    ),
    "great-wave": Shipped(
        "The Great Wave",
        "great_wave_hokusai.jpg",
        "Katsushika Hokusai, The Great Wave off Kanagawa, about 1831",
    ),
    "mondrian": Shipped(
        "Mondrian 1913", "mondrian_1913.jpg", "Piet Mondrian, composition of 1913", rounds=1
    ),
    "starry-night": Shipped(
        "The Starry Night", "starry_night_vangogh.jpg", "Vincent van Gogh, The Starry Night, 1889"
    ),
    "scream": Shipped("The Scream", "the_scream_munch.jpg", "Edvard Munch, The Scream, 1893"),
    "udnie": Shipped("Udnie", "udnie_picabia.jpg", "Francis Picabia, Udnie, 1913"),
    "pen-hatching": Shipped(
        "Hills in Reed Pen", "pen-hatching.jpg", f"{OWN}, Hills in Reed Pen", "CC0"
    ),
    "mosaic": Shipped(
        "Sun, Stars and Sea in Mosaic",
        "mosaic.jpg",
        f"{OWN}, Sun, Stars and Sea in Mosaic",
        "CC0",
    ),
    "stained-glass": Shipped(
        "Poppies at Sunrise in Stained Glass",
        "stained-glass.jpg",
        f"{OWN}, Poppies at Sunrise in Stained Glass",
        "CC0",
    ),
    "golden-portrait": Shipped(
        "Golden Portrait",
        "adele_bloch_bauer_klimt.jpg",
        "Gustav Klimt, Portrait of Adele Bloch-Bauer I, 1907",
        grown_from="mosaic",
    ),
    "grande-jatte": Shipped(
        "La Grande Jatte",
        "grande_jatte_seurat.jpg",
        "Georges Seurat, A Sunday Afternoon on the Island of La Grande Jatte, 1886",
        grown_from="mosaic",
    ),
    "plum-blossom": Shipped(
        "Plum Blossom",
        "plum_blossom_jin_nong.jpg",
        "Jin Nong, leaf of an album of plum blossoms",
        grown_from="pen-hatching",
    ),
    "watercolor": Shipped(
        "Man Seated by a Stream",
        "man_seated_by_a_stream_sargent.jpg",
        "John Singer Sargent, Man Seated by a Stream",
        grown_from="composition-vii",
    ),
    "water-lilies": Shipped(
        "Water Lilies",
        "water_lilies_monet.jpg",
        "Claude Monet, Water Lilies, 1914",
        grown_from="starry-night",
    ),
    "winter-moonlight": Shipped(
        "Winter Landscape in Moonlight",
        "winter_moonlight_kirchner.jpg",
        "Ernst Ludwig Kirchner, Winter Landscape in Moonlight, 1919",
        grown_from="composition-vii",
    ),
    "woodcut": Shipped(
        "The Last Supper",
        "last_supper_duerer.jpg",
        "Albrecht Dürer, The Last Supper, 1510",
        grown_from="pen-hatching",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in STEPS_OF_SHIPPING:
        command = commands.add_parser(name)
        command.add_argument("names", nargs="*", help="all styles without any")
        if name != "ranges":
            command.add_argument("--style-images", type=Path, required=True)
            command.add_argument("--weights", type=Path)
        if name != "cards":
            command.add_argument("--photos", type=Path, required=True)
        if name == "train":
            command.add_argument("--from", dest="start_from", type=Path, required=True)
            command.add_argument("--device", default="cpu")
        else:
            command.add_argument("--evaluated-on", type=Path, required=True)
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(SHIPPED)):
        parser.error(f"no style {', '.join(unknown)}; there are {', '.join(SHIPPED)}")
    names = given.names or list(SHIPPED)
    STEPS_OF_SHIPPING[given.command](names, given)


def train(names: Sequence[str], given: argparse.Namespace) -> None:
    """Train the styles that are not there yet."""
    for name in names:
        destination = shipped_styles() / f"{name}{SUFFIX}"
        if destination.exists():
            continue
        start = given.start_from / f"{name}{SUFFIX}"
        info = train_style(
            TrainingSettings(iterations=STEPS, ramp=RAMP, initial_weights=str(start)),
            style_image=SHIPPED[name].path(given.style_images),
            photos=given.photos,
            destination=destination,
            credit=credit_of(name),
            weights=given.weights,
            device=given.device,
            resume=True,
            watcher=Lines(name),
        )
        losses = ", ".join(f"{term} {value:.3f}" for term, value in info.losses.items())
        print(f"{name}: {losses}", flush=True)


def credit_of(name: str) -> Credit:
    shipped = SHIPPED[name]
    return Credit(shipped.title, shipped.style_image, shipped.license)


class Lines:
    """Says every 100 steps how far a training is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = time.perf_counter()

    def step(self, progress: TrainingStep) -> None:
        if progress.iteration % 100 == 0:
            losses = ", ".join(f"{term} {value:.3f}" for term, value in progress.losses.items())
            took = time.perf_counter() - self._started
            print(f"{self._name} {progress.iteration}, {took:.0f} s: {losses}", flush=True)

    def image(self, iteration: int, name: str, image: Image) -> None:
        return None

    def close(self) -> None:
        return None


def cards(names: Sequence[str], given: argparse.Namespace) -> None:
    """Write cards, previews and, for all styles, the contact sheet."""
    photos = {photo.title: photo.pixels() for photo in PHOTOS}
    stylized = {}
    for name in names:
        path = shipped_styles() / f"{name}{SUFFIX}"
        stylized[name] = [style_image(path, photo) for photo in photos.values()]
        row = SheetRow("", tuple(shrunk(image, 288) for image in stylized[name]))
        write_image(PREVIEWS / f"{name}.jpg", contact_sheet([row], list(photos)))
        path.with_suffix(".md").write_text(card(name, path, measured(name, path, given)))
        print(f"wrote the card and the preview of {name}", flush=True)
    if set(names) == set(SHIPPED):
        write_image(PREVIEWS / "all.jpg", sheet_of_all(photos, stylized))


def ranges(names: Sequence[str], given: argparse.Namespace) -> None:
    """Write ranges into styles; the photos are those that a training in the folder would take."""
    photos = spread_photos(list_photos(given.photos))
    for name in names:
        path = shipped_styles() / f"{name}{SUFFIX}"
        style = load_style(path)
        found = measure_on_squares(style.module, photos, list_photos(given.evaluated_on))
        save_style(path, replace(style.info, int8_error=found.error), style.module, found.ranges)
        print(f"{name}: {255 * (found.error or 0):.2f} of 255", flush=True)


def sheet_of_all(photos: Mapping[str, Image], stylized: Mapping[str, Sequence[Image]]) -> Image:
    """Two photos beside eight styles, and again beside the next eight."""
    sheets = []
    for begin in range(0, len(stylized), SHEET_COLUMNS):
        names = list(stylized)[begin : begin + SHEET_COLUMNS]
        rows = [
            SheetRow("", tuple(shrunk(image, 144) for image in (photo, *row)))
            for photo, *row in zip(
                photos.values(), *(stylized[name] for name in names), strict=True
            )
        ]
        sheets.append(contact_sheet(rows[:SHEET_PHOTOS], ["original", *names]))
    return np.vstack(sheets)


def style_image(path: Path, photo: Image) -> Image:
    with torch.inference_mode():
        found = stylize(load_style(path).module, to_tensor(photo))
    return (255.0 * found[0].permute(1, 2, 0)).round().to(torch.uint8).numpy()


def shrunk(image: Image, height: int) -> Image:
    return resize_photo(image, height, round(height * image.shape[1] / image.shape[0]))


def measured(name: str, path: Path, given: argparse.Namespace) -> dict[str, float]:
    """The losses of a style on photos that it was not trained on."""
    photos = list_photos(given.evaluated_on)
    style, settings = load_style(path), evaluation_settings(path)
    file = SHIPPED[name].path(given.style_images)
    objective = load_objective(settings, file, photos, given.weights, "cpu")
    return measure_network(style.module, objective, photos)


def card(name: str, path: Path, losses: dict[str, float]) -> str:
    """The card as Markdown."""
    info = load_style(path).info
    defaults = TrainingSettings().model_dump(mode="json")
    own = ("iterations", "initial_weights")
    changed = [
        f"{key} {value}"
        for key, value in info.settings.items()
        if key not in own and key in defaults and defaults[key] not in (value, "auto")
    ]
    exception = f", except {', '.join(changed)}" if changed else ""
    grown_from = SHIPPED[name].grown_from
    times = {1: "", 2: "twice "}[SHIPPED[name].rounds]
    origin = f"`{grown_from}`" if grown_from else "this style"
    convolutions = len(load_style_weights(path).ranges)
    return f"""# {name}

| | |
|---|---|
| style image | {info.credit.style_image} |
| license of the style image | {info.credit.license} |
| license of the style | as vidstyle: Apache-2.0 |
| network | `{info.architecture}`, {info.width} channels |
| file | {path.stat().st_size:,} bytes, float16 weights and their graph |
| preview | [docs/styles/{name}.jpg](../../../docs/styles/{name}.jpg) |

Trained in stages, by settings that are the same for every style: 2,000 steps from the base
network for {origin}, with VGG19 as the loss network; 300 steps for this style, by VGG16 and VGG19
in turn; and, in today's network, {times}{info.settings["iterations"]} steps by `python
scripts/ship_styles.py train`, with the default settings{exception}, on COCO photos moved at random.

| measured on | style | content | structure | amplitude of noise |
|---|---|---|---|---|
| photos held out of the training | {_row(info.losses)} |
| twelve Kodak images | {_row(losses)} |

Style is a ratio to the untouched photos', content is 1 for an image without any, structure is 0
where light and dark lie as in the photo and 1 where they lie at random, noise is the factor by
which its amplitude grows; on the middles of the photos at
{info.settings["crop"]}x{info.settings["crop"]} pixels.

{convolutions} of its convolutions can be in 8 bits (`precision: int8`, which `auto` takes on
processors with VNNI). The middles of the Kodak images, at 320x320 pixels, were measured as they
are, faint, and small on black, on white and on their mean color: for each of these the mean
difference from float32 is at most {255 * (info.int8_error or 0):.2f} of 255.
"""


STEPS_OF_SHIPPING = {"train": train, "ranges": ranges, "cards": cards}


def _row(losses: Mapping[str, float]) -> str:
    return " | ".join(f"{losses[term]:.3f}" for term in ("style", "content", "structure", "noise"))


if __name__ == "__main__":
    main()
