"""The page as somebody sees it, in Chromium."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import pytest

from tests.app.conftest import WriteClip, make_settings
from tests.app.page_server import PageServer, serving
from tests.app.test_job_queue import is_alive, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE = 60_000
"""Milliseconds for what a job has to do first: the machine may be busy."""

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium (apt install chromium)"),
]
CONTENT_WIDTH = "document.documentElement.scrollWidth"
OpenTab = Callable[[], "Page"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as monkeypatch:
        settings = make_settings(folder, monkeypatch)
        with serving(settings, folder, max_upload="2M") as server:
            yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(server: PageServer, browser: Browser) -> Iterator[OpenTab]:
    """Tabs that share nothing; none of them may ask another server for anything."""
    strangers: list[str] = []
    tabs: list[Page] = []

    def note(address: str) -> None:
        if not address.startswith((server.address, "data:", "blob:", "about:")):
            strangers.append(address)

    def open_tab() -> Page:
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.set_default_timeout(PATIENCE)
        tab.on("request", lambda request: note(request.url))
        tab.goto(server.address)
        button(tab, "Stylize").wait_for()
        tabs.append(tab)
        return tab

    yield open_tab
    for tab in tabs:
        tab.close()
    assert not strangers


def button(tab: Page, label: str) -> Locator:
    return tab.get_by_role("button", name=label, exact=True).locator("visible=true")


def upload(tab: Page, clip: Path) -> None:
    """Choose a clip, on the page's second part."""
    tab.get_by_role("tab", name="Video").click()
    tab.locator("input[type=file][accept*='.mp4']").set_input_files(clip)
    tab.get_by_test_id("stFileChip").wait_for()


def optimize(tab: Page) -> None:
    """Choose optimization for the image."""
    tab.get_by_text("Any style image").click()
    tab.get_by_role("slider", name="Steps").wait_for()


def start_for_long(tab: Page) -> None:
    """Start an image of ten thousand steps."""
    optimize(tab)
    tab.get_by_role("slider", name="Steps").press("End")
    tab.get_by_test_id("stSliderThumbValue").get_by_text("10000", exact=True).wait_for()
    button(tab, "Stylize").click()
    button(tab, "Stop").wait_for()


def download(tab: Page, path: Path) -> Path:
    with tab.expect_download() as file:
        button(tab, "Download").first.click()
    file.value.save_as(path)
    return path


def test_an_image_changes_on_the_screen_and_finishes(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    optimize(tab)
    tab.get_by_role("slider", name="Size").press("Home")
    start_for_long(tab)
    seen = set()
    image = tab.locator("img[src*='/media/']")
    while len(seen) < 3:
        seen.add(image.get_attribute("src"))
        tab.wait_for_timeout(200)
    button(tab, "Stop").click()
    tab.get_by_text("Stopped.").wait_for()
    tab.get_by_role("slider", name="Steps").press("Home")
    tab.get_by_test_id("stSliderThumbValue").get_by_text("1", exact=True).wait_for()
    button(tab, "Stylize").click()
    button(tab, "Stop").wait_for()
    button(tab, "Stylize").wait_for()
    tab.get_by_text("Stopped.").wait_for(state="hidden")
    tab.get_by_text("Earlier results").wait_for()
    stylized = cv2.imread(str(download(tab, tmp_path / "stylized.png")))
    assert stylized.shape == (62, 100, 3)


def test_one_click_stylizes_and_the_file_says_what_it_is(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    button(tab, "Stylize").click()
    button(tab, "Download").wait_for()
    with tab.expect_download() as file:
        button(tab, "Download").click()
    assert file.value.suggested_filename == "hills-the-great-wave.png"
    file.value.save_as(tmp_path / "stylized.png")
    assert cv2.imread(str(tmp_path / "stylized.png")).shape == (100, 160, 3)


def test_all_fits_the_window(open_tab: OpenTab, write_clip: WriteClip, tmp_path: Path) -> None:
    tab, widths = open_tab(), (1280, 480)
    for width in widths:
        tab.set_viewport_size({"width": width, "height": 800})
        assert bottom(button(tab, "Stylize")) <= 800
    upload(tab, write_clip(tmp_path / "tall.mp4", width=180, height=640))
    video = tab.get_by_test_id("stVideo")
    for width in widths:
        tab.set_viewport_size({"width": width, "height": 800})
        video.wait_for()
        until(lambda: height(video) > 300)
        assert height(video) <= 0.7 * 800 + 1
    button(tab, "Try three frames").click()
    tab.get_by_text("frame 10").wait_for()
    button(tab, "Stylize the video").click()
    button(tab, "Download").wait_for()
    frame = tab.frame_locator("iframe").locator("#frame")
    for width in widths:
        tab.set_viewport_size({"width": width, "height": 800})
        until(lambda: height(frame) > 300)
        assert height(frame) <= 0.7 * 800
        until(lambda width=width: tab.evaluate(CONTENT_WIDTH) <= width)


def height(element: Locator) -> float:
    box = element.bounding_box()
    return box["height"] if box else 0.0


def bottom(element: Locator) -> float:
    box = element.bounding_box()
    assert box
    return box["y"] + box["height"]


def test_a_video_comes_out_whole_and_can_be_compared(
    open_tab: OpenTab, write_clip: WriteClip, tmp_path: Path
) -> None:
    tab = open_tab()
    upload(tab, write_clip(tmp_path / "clip.mp4"))
    button(tab, "Stylize the video").click()
    button(tab, "Download").wait_for()
    with av.open(str(download(tab, tmp_path / "stylized.mp4"))) as container:
        frames = list(container.decode(video=0))
    assert (len(frames), frames[0].width, frames[0].height) == (12, 160, 128)
    videos = tab.frame_locator("iframe").locator("video")
    state = "all => all.map(video => [video.readyState > 1, video.videoWidth, video.videoHeight])"
    until(lambda: videos.evaluate_all(state) == [[True, 160, 128]] * 2)


def test_a_text_is_no_video_and_a_name_is_no_html(open_tab: OpenTab, tmp_path: Path) -> None:
    tab = open_tab()
    clip = tmp_path / "<img src=x onerror=window.hit=1>.mp4"
    clip.write_text("no clip")
    upload(tab, clip)
    button(tab, "Stylize the video").click()
    alert = tab.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().startswith(f"{clip.name}: ")
    assert "\n" not in alert.inner_text()
    assert tab.locator("img[src=x]").count() == 0
    assert tab.evaluate("window.hit") is None


def test_a_file_that_is_too_large_is_refused_in_one_line(
    open_tab: OpenTab, tmp_path: Path, server: PageServer
) -> None:
    tab = open_tab()
    clip = tmp_path / "long.mp4"
    clip.write_bytes(bytes(3 * 2**20))
    upload(tab, clip)
    line = tab.get_by_text("File must be 2.0MB or smaller.")
    line.wait_for()
    box = line.bounding_box()
    assert box
    assert box["width"] > 100
    assert box["height"] > 10
    assert not takes_clicks(button(tab, "Stylize the video"))
    assert not [path for path in server.files.rglob("original") if path.stat().st_size > 2**20]


def test_nothing_starts_before_a_file_is_there(
    open_tab: OpenTab, write_clip: WriteClip, tmp_path: Path
) -> None:
    tab = open_tab()
    held: list[Route] = []
    tab.route("**/upload_file/**", lambda route: held.append(route))
    upload(tab, write_clip(tmp_path / "clip.mp4"))
    until(lambda: tab.wait_for_timeout(100) or held)
    start = button(tab, "Stylize the video")
    assert not takes_clicks(start)
    held[0].continue_()
    tab.unroute("**/upload_file/**")
    start.click()
    tab.get_by_text("clip.mp4 · The Great Wave").wait_for()


def takes_clicks(element: Locator) -> bool:
    return str(element.evaluate("e => getComputedStyle(e).pointerEvents")) != "none"


def test_the_second_tab_waits_and_finishes(
    open_tab: OpenTab, write_clip: WriteClip, tmp_path: Path
) -> None:
    first, second = open_tab(), open_tab()
    start_for_long(first)
    upload(second, write_clip(tmp_path / "clip.mp4"))
    button(second, "Stylize the video").click()
    second.get_by_text("Waiting: 1 job is before yours.").wait_for()
    button(first, "Stop").click()
    first.get_by_text("Stopped.").wait_for()
    button(second, "Download").wait_for()


def test_closing_a_tab_ends_its_process_and_removes_its_files(
    open_tab: OpenTab, server: PageServer, write_clip: WriteClip, tmp_path: Path
) -> None:
    tab = open_tab()
    clip = write_clip(tmp_path / "clip.mp4")
    upload(tab, clip)
    tab.get_by_role("tab", name="Image").click()
    start_for_long(tab)
    until(lambda: server.workers)
    [worker] = server.workers
    # Beside it torch keeps a folder of its own.
    [private] = server.files.glob("vidstyle-app-*")
    content = clip.read_bytes()

    def kept() -> list[Path]:
        return [path for path in private.rglob("original") if path.read_bytes() == content]

    assert is_alive(worker)
    assert kept()
    before = time.monotonic()
    tab.close()
    until(lambda: not is_alive(worker) and not kept(), seconds=30)
    # Not because the work was done.
    assert time.monotonic() - before < 15
    assert server.process.poll() is None
