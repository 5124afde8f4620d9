"""Every control of the page, and the task that it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="Streamlit, the extra `app`, is not installed")

from streamlit.testing.v1 import AppTest

from tests.app.conftest import WriteClip
from tests.app.test_job_queue import until
from vidstyle.app.desk import Desk
from vidstyle.app.server import PAGE
from vidstyle.app.studio import Studio
from vidstyle.app.tasks import ClipTask, ImageTask, PreviewTask
from vidstyle.models.style.styles import find_style

pytestmark = pytest.mark.slow


@pytest.fixture
def page(studio: Studio) -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=30).run()


def desk_of(studio: Studio) -> Desk:
    """The desk of the one tab that the test harness has."""
    return studio.desk("test session id")


def press(page: AppTest, label: str) -> AppTest:
    [button] = [button for button in page.button if button.label == label]
    return button.click().run()


def enabled(page: AppTest, label: str) -> bool:
    [button] = [button for button in page.button if button.label == label]
    return not button.disabled


def image_task(studio: Studio) -> ImageTask:
    job = desk_of(studio).job("image")
    assert job
    assert isinstance(job.task, ImageTask)
    return job.task


def test_the_first_choice_of_everything_can_be_painted(page: AppTest, studio: Studio) -> None:
    assert not page.exception
    press(page, "Paint")
    assert not page.exception
    task = image_task(studio)
    assert (task.steps, task.size, task.backbone, task.strength) == (20, 500, "vgg19", 1.0)
    assert task.content == studio.choices.images[0].path
    assert task.style_image == studio.choices.style_images[0].path
    assert task.folder.is_relative_to(desk_of(studio).folder)


def test_the_controls_of_an_image_reach_its_task(page: AppTest, studio: Studio) -> None:
    lists = {box.label: box for box in page.selectbox}
    lists["Photo"].select_index(1)
    lists["Painting"].select_index(1)
    lists["Network"].select_index(2)
    sliders = {slider.label: slider for slider in (*page.slider, *page.select_slider)}
    wanted = {
        "Steps": 10_000,
        "Size": 1000,
        "Strength": 0.5,
        "Style against content": 5.0,
        "Smoothness": 0.1,
        "Grain": 0.0,
        "Strokes": 0.5,
        "Shapes": 1.5,
        "Large forms": 2.0,
    }
    assert set(wanted) == set(sliders)
    for label, value in wanted.items():
        sliders[label].set_value(value)
    press(page.run(), "Paint")
    task = image_task(studio)
    assert task.content == studio.choices.images[1].path
    assert task.style_image == studio.choices.style_images[1].path
    assert task.backbone == studio.choices.networks[2].name
    assert (task.steps, task.size, task.strength) == (10_000, 1000, 0.5)
    assert (task.style_weight, task.variation) == (5.0, 0.1)
    assert task.layer_weights == (0.0, 0.5, 1.5, 2.0)


def test_nothing_of_the_painting_cannot_be_painted(page: AppTest) -> None:
    for slider in page.slider:
        if slider.label in ("Grain", "Strokes", "Shapes", "Large forms"):
            slider.set_value(0.0)
    page.run()
    assert not enabled(page, "Paint")
    assert "all four are 0" in page.error[0].value


def test_an_upload_takes_the_place_of_the_list(page: AppTest, studio: Studio) -> None:
    content = studio.choices.images[1].path.read_bytes()
    page.file_uploader(key="photo").upload("../mine.png", content, "image/png").run()
    press(page, "Paint")
    task = image_task(studio)
    assert task.content.read_bytes() == content
    assert task.content.is_relative_to(desk_of(studio).folder)
    assert task.content.name == "original"


def test_what_is_no_image_is_said_and_the_list_counts(page: AppTest, studio: Studio) -> None:
    page.file_uploader(key="style_image").upload("a*b*.png", b"no image", "image/png").run()
    [error] = page.error
    assert error.value.startswith(r"a\*b\*\.png is not an image")
    press(page, "Paint")
    assert image_task(studio).style_image == studio.choices.style_images[0].path


def test_a_running_job_can_be_stopped_and_its_image_stays(page: AppTest, studio: Studio) -> None:
    press(page, "Paint")
    job = desk_of(studio).job("image")
    assert job
    until(lambda: job.status.made)
    press(page, "Stop")
    assert job.status.state == "stopped"
    assert [info.value for info in page.info] == ["Stopped."]
    assert [button.label for button in page.get("download_button")] == ["Download"]


def test_nothing_of_a_video_can_be_done_before_it_is_there(page: AppTest) -> None:
    assert not enabled(page, "Try three frames")
    assert not enabled(page, "Paint the video")


def test_the_controls_of_a_video_reach_its_task(
    page: AppTest, studio: Studio, write_clip: WriteClip, tmp_path: Path
) -> None:
    content = write_clip(tmp_path / "clip.mp4").read_bytes()
    page.file_uploader(key="clip").upload("clip.mp4", content, "video/mp4").run()
    [style] = [box for box in page.selectbox if box.label == "Style"]
    style.select_index([choice.path for choice in studio.choices.styles].index(find_style("udnie")))
    page.radio[0].set_value(len(studio.choices.pipelines) - 1)
    press(page.run(), "Try three frames")
    press(page, "Paint the video")
    for slot, sort in (("preview", PreviewTask), ("clip", ClipTask)):
        job = desk_of(studio).job(slot)  # type: ignore[arg-type]  # two of its names
        assert job
        assert isinstance(job.task, sort)
        assert isinstance(job.task, PreviewTask | ClipTask)
        assert job.task.clip.read_bytes() == content
        assert job.task.style == find_style("udnie")
        assert job.task.pipeline == studio.choices.pipelines[-1].path


def test_a_painted_video_can_be_taken_home_and_judged(
    page: AppTest, studio: Studio, write_clip: WriteClip, tmp_path: Path
) -> None:
    content = write_clip(tmp_path / "clip.mp4", count=4).read_bytes()
    page.file_uploader(key="clip").upload("clip.mp4", content, "video/mp4").run()
    page.radio[0].set_value(len(studio.choices.pipelines) - 1)
    press(page.run(), "Paint the video")
    job = desk_of(studio).job("clip")
    assert job
    until(job.ended.is_set)
    page.run()
    assert not page.exception
    assert job.status.state == "done", job.status.error
    assert [button.label for button in page.get("download_button")] == ["Download"]
    assert len(page.get("iframe")) == 1
    press(page, "Measure flicker")
    flicker = desk_of(studio).job("flicker")
    assert flicker
    until(flicker.ended.is_set)
    assert flicker.status.state == "done", flicker.status.error
    page.run()
    labels = [button.label for button in page.get("download_button")]
    assert labels == ["Download", "Download the report"]


def test_what_is_no_clip_is_one_line_with_the_name_that_it_had(
    page: AppTest, studio: Studio
) -> None:
    page.file_uploader(key="clip").upload("<b>.mp4", b"no clip", "video/mp4").run()
    press(page, "Paint the video")
    job = desk_of(studio).job("clip")
    assert job
    until(job.ended.is_set)
    [error] = page.run().error
    assert error.value.startswith(r"\<b\>\.mp4\: ")
    assert str(desk_of(studio).folder.parent) not in error.value.replace("\\", "")


def test_too_many_jobs_are_told_to_come_back(page: AppTest, studio: Studio) -> None:
    press(page, "Paint")
    task = image_task(studio)
    for _ in range(8):
        studio.jobs.submit(task)
    until(lambda: desk_of(studio).job("image"))
    press(page, "Stop")
    studio.jobs.submit(task)
    press(page, "Paint")
    assert page.warning[0].value.startswith(r"busy\: 8 jobs are waiting")
