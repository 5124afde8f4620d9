"""Makes the photos that ship with vidstyle: content for styles that are learned on the spot.

    python scripts/ship_photos.py

They come from the scikit-image package, where all are public domain or CC0, and are reduced.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2

from samples.photos import read_image
from vidstyle.training.learn_style import shipped_photos_folder

SHORTER_SIDE, QUALITY = 420, 88

SHIPPED = {
    "astronaut.png": "Eileen Collins, NASA Great Images: public domain",
    "chelsea.png": "Chelsea the cat, Stefan van der Walt: CC0",
    "clock_motion.png": "A clock, Stefan van der Walt: public domain",
    "coffee.png": "A cup of coffee, Rachel Michetti, courtesy of Pikolo Espresso Bar: CC0",
    "grass.png": "Grass: CC0",
    "gravel.png": "Gravel, CC0Textures: CC0",
    "hubble_deep_field.jpg": "Hubble eXtreme Deep Field, NASA: public domain",
    "rocket.jpg": "Falcon 9 with DSCOVR, SpaceX: public domain",
}
"""Files of scikit-image, and their makers and licenses as its documentation states them."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    folder = shipped_photos_folder()
    folder.mkdir(exist_ok=True)
    lines = ["# Photos to learn styles on\n\nOut of scikit-image, reduced by this project:\n\n"]
    for file, credit in SHIPPED.items():
        image = read_image(file)
        scale = SHORTER_SIDE / min(image.shape[:2])
        size = tuple(max(1, round(scale * extent)) for extent in image.shape[1::-1])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        name = f"{Path(file).stem}.jpg"
        quality = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
        cv2.imwrite(str(folder / name), cv2.resize(image, size, interpolation=how), quality)
        lines.append(f"- `{name}`: {credit}\n")
    (folder / "README.md").write_text("".join(lines))


if __name__ == "__main__":
    main()
