"""The images of docs/app.md: ``python -m tests.app.screenshots WEIGHTS`` in the repository.

WEIGHTS is a folder with VGG19. All that is shown are our own clip, style images and styles.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.app.page_server import serving
from tests.app.test_browser import ARGUMENTS, CHROMIUM, button, upload
from vidstyle.app.choices import PageSettings
from vidstyle.evaluation.clip_frames import clip_frames
from vidstyle.runner.config.shipped import shipped_folder

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "samples" / "demo.mp4"
STYLE_IMAGES = ROOT / "samples" / "style_images"
OUTPUT = ROOT / "docs" / "app"
_MOST_BYTES = 200_000
PATIENCE = 600_000
"""Milliseconds: an image takes minutes on a busy machine."""


def main(weights: str) -> None:
    os.environ["VIDSTYLE_WEIGHTS"] = weights
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder))
        with (
            serving(settings, Path(folder), max_upload="512M") as server,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
            tab = browser.new_page(viewport={"width": 1280, "height": 900})
            tab.set_default_timeout(PATIENCE)
            tab.goto(server.address)
            _show_video(tab)
            _show_image(tab)
            browser.close()


def _settings(folder: Path) -> PageSettings:
    """A frame of the clip to stylize, and our own style images."""
    (folder / "photos").mkdir()
    [frame] = clip_frames(CLIP, (100, 101))
    pixels = np.rint(255 * frame[..., ::-1]).astype(np.uint8)
    cv2.imwrite(str(folder / "photos" / "astronaut.png"), pixels)
    return PageSettings(
        pipelines=shipped_folder(), images=folder / "photos", style_images=STYLE_IMAGES
    )


def _show_video(tab: Page) -> None:
    upload(tab, CLIP)
    button(tab, "Try three frames").click()
    tab.get_by_text("frame 100").wait_for()
    button(tab, "Stylize the video").click()
    button(tab, "Download").wait_for()
    comparison = tab.frame_locator("iframe")
    comparison.locator("#play").click()
    comparison.locator("#time").fill("240")
    tab.mouse.move(10, 890)
    _take(tab, "video.png")


def _show_image(tab: Page) -> None:
    tab.get_by_role("tab", name="Image").click()
    button(tab, "Stylize").click()
    button(tab, "Download").wait_for()
    tab.mouse.move(10, 890)
    _take(tab, "image.png")


def _take(tab: Page, name: str) -> None:
    tab.wait_for_timeout(2000)
    path = OUTPUT / name
    tab.screenshot(path=path)
    colors = Image.open(path).convert("RGB").quantize(256, kmeans=3)
    colors.save(path, optimize=True)
    if path.stat().st_size > _MOST_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size} bytes, more than {_MOST_BYTES}")


if __name__ == "__main__":
    main(sys.argv[1])
