"""The images of docs/app.md: ``python -m tests.app.screenshots`` in the repository.

All that is shown ships with vidstyle.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.app.page_server import serving
from tests.app.test_browser import ARGUMENTS, CHROMIUM, button
from vidstyle.app.choices import PageSettings
from vidstyle.runner.config.shipped import shipped_folder

OUTPUT = Path(__file__).parents[2] / "docs" / "app"
_MOST_BYTES = 200_000
PATIENCE = 600_000
"""Milliseconds: a clip takes minutes on a busy machine."""


def main() -> None:
    settings = PageSettings(pipelines=shipped_folder())
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(settings, Path(folder), max_upload="512M") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.set_default_timeout(PATIENCE)
        tab.goto(server.address)
        _show_image(tab)
        _show_video(tab)
        browser.close()


def _show_image(tab: Page) -> None:
    """Three results, the last one large."""
    _choose(tab, "Or one of these", "Eileen Collins, astronaut")
    for style in ("The Starry Night", "Sun, Stars and Sea in Mosaic", "The Great Wave"):
        _choose(tab, "Style", style)
        button(tab, "Stylize").click()
        tab.get_by_text(f" · {style} · ").wait_for()
        button(tab, "Stop").wait_for(state="hidden")
    _take(tab, "image.png")


def _choose(tab: Page, label: str, option: str) -> None:
    """Choose a line of a list by what it contains."""
    tab.get_by_role("combobox", name=label).locator("visible=true").click()
    tab.get_by_role("option", name=option).click()


def _show_video(tab: Page) -> None:
    tab.get_by_role("tab", name="Video").click()
    button(tab, "Try three frames").click()
    tab.get_by_text("frame 100").wait_for()
    button(tab, "Stylize the video").click()
    button(tab, "Download").wait_for()
    comparison = tab.frame_locator("iframe")
    comparison.locator("#play").click()
    comparison.locator("#time").fill("240")
    _take(tab, "video.png")


def _take(tab: Page, name: str) -> None:
    tab.mouse.move(10, 790)
    tab.wait_for_timeout(2000)
    tab.evaluate("document.querySelector('.stMain').scrollTo(0, 0)")
    tab.wait_for_timeout(500)
    path = OUTPUT / name
    tab.screenshot(path=path)
    colors = Image.open(path).convert("RGB").quantize(256, kmeans=3)
    colors.save(path, optimize=True)
    if path.stat().st_size > _MOST_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size} bytes, more than {_MOST_BYTES}")


if __name__ == "__main__":
    main()
