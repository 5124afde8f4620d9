"""Every control of the page, and what it chooses."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="Streamlit, the extra `app`, is not installed")

from pydantic import Field
from streamlit.testing.v1 import AppTest

from tests.app.conftest import WriteClip
from tests.app.test_job_queue import until
from vidstyle.app.desk import Desk
from vidstyle.app.page import image_tab
from vidstyle.app.server import PAGE
from vidstyle.app.studio import Studio
from vidstyle.app.tasks import ClipChoices, ImageChoices
from vidstyle.models.loss.loss_options import LossWeights
from vidstyle.models.optimization.options import StillOptions
from vidstyle.models.style.styles import find_style
from vidstyle.training.style_cache import find_image_style, learn_once

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


def image_choices(studio: Studio) -> ImageChoices:
    job = desk_of(studio).job("image")
    assert job
    assert isinstance(job.task.chosen, ImageChoices)
    return job.task.chosen


def test_the_first_choice_of_everything_can_be_stylized(page: AppTest, studio: Studio) -> None:
    assert not page.exception
    press(page, "Stylize")
    assert not page.exception
    task = image_choices(studio)
    assert (task.steps, task.size, task.backbone, task.strength) == (20, 500, "vgg19", 1.0)
    assert task.content == studio.choices.images[0].path
    assert task.style_image == studio.choices.style_images[0].path


def test_the_controls_of_an_image_reach_its_task(page: AppTest, studio: Studio) -> None:
    lists = {box.label: box for box in page.selectbox}
    lists["Photo"].select_index(1)
    lists["Style image"].select_index(1)
    lists["Network"].select_index(2)
    sliders = {slider.label: slider for slider in (*page.slider, *page.select_slider)}
    wanted = {
        "Steps": 10_000,
        "Size": 1000,
        "Strength": 0.5,
        "Style against content": 5.0,
        "Faces and edges": 0.5,
        "Smoothness": 0.1,
        "Grain": 0.0,
        "Strokes": 0.5,
        "Shapes": 1.5,
        "Large forms": 2.0,
    }
    assert set(wanted) == set(sliders)
    assert (sliders["Strength"].min, sliders["Strength"].max) == (0.0, 1.0)
    assert sliders["Size"].min == StillOptions.model_fields["size"].metadata[0].ge
    assert sliders["Smoothness"].value == StillOptions.model_fields["variation_weight"].default
    for label, value in wanted.items():
        sliders[label].set_value(value)
    press(page.run(), "Stylize")
    task = image_choices(studio)
    assert task.content == studio.choices.images[1].path
    assert task.style_image == studio.choices.style_images[1].path
    assert task.backbone == studio.choices.networks[2].name
    assert (task.steps, task.size, task.strength) == (10_000, 1000, 0.5)
    assert task.weights == {
        "style_weight": 5.0,
        "structure_weight": 0.5,
        "variation_weight": 0.1,
    }
    assert task.layer_weights == (0.0, 0.5, 1.5, 2.0)


class MoreWeights(LossWeights):
    """With a loss term that the page does not know."""

    fine_detail_weight: float = Field(0.0, ge=0, le=1e6, description="Weight of fine detail.")


def test_a_new_loss_term_has_a_slider(
    page: AppTest, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {**image_tab._OPTIONS, **MoreWeights.model_fields}
    monkeypatch.setattr(image_tab, "LossWeights", MoreWeights)
    monkeypatch.setattr(image_tab, "_OPTIONS", fields)
    [slider] = [s for s in page.run().select_slider if s.label == "Fine detail"]
    assert slider.value == 0.0
    slider.set_value(0.5)
    press(page.run(), "Stylize")
    assert image_choices(studio).weights["fine_detail_weight"] == 0.5


def test_nothing_of_the_style_image_cannot_be_stylized(page: AppTest) -> None:
    for slider in page.slider:
        if slider.label in ("Grain", "Strokes", "Shapes", "Large forms"):
            slider.set_value(0.0)
    page.run()
    assert not enabled(page, "Stylize")
    assert "all four are 0" in page.error[0].value


def test_an_upload_takes_the_place_of_the_list(page: AppTest, studio: Studio) -> None:
    content = studio.choices.images[1].path.read_bytes()
    page.file_uploader(key="photo").upload("../mine.png", content, "image/png").run()
    press(page, "Stylize")
    task = image_choices(studio)
    assert task.content.read_bytes() == content
    assert task.content.is_relative_to(desk_of(studio).folder)
    assert task.content.name == "original.jpg"


def test_what_is_no_image_is_refused_and_the_list_counts(page: AppTest, studio: Studio) -> None:
    page.file_uploader(key="style_image").upload("a*b*.png", b"no image", "image/png").run()
    [error] = page.error
    assert error.value.startswith(r"a\*b\*\.png is not an image")
    press(page, "Stylize")
    assert image_choices(studio).style_image == studio.choices.style_images[0].path


def test_a_running_job_can_be_stopped_and_its_image_stays(page: AppTest, studio: Studio) -> None:
    press(page, "Stylize")
    job = desk_of(studio).job("image")
    assert job
    until(lambda: job.status.done > 1)
    press(page, "Stop")
    assert job.status.state == "stopped"
    assert [info.value for info in page.info] == ["Stopped."]
    assert [button.label for button in page.get("download_button")] == ["Download"]


def test_nothing_of_a_video_can_be_done_before_it_is_there(page: AppTest) -> None:
    assert not enabled(page, "Try three frames")
    assert not enabled(page, "Stylize the video")


def test_the_controls_of_a_video_reach_its_task(
    page: AppTest, studio: Studio, write_clip: WriteClip, tmp_path: Path
) -> None:
    content = write_clip(tmp_path / "clip.mp4").read_bytes()
    page.file_uploader(key="clip").upload("clip.mp4", content, "video/mp4").run()
    [style] = [box for box in page.selectbox if box.label == "Style"]
    style.select_index([choice.path for choice in studio.choices.styles].index(find_style("udnie")))
    page.radio[0].set_value(len(studio.choices.pipelines) - 1)
    press(page.run(), "Try three frames")
    press(page, "Stylize the video")
    for slot in ("preview", "clip"):
        job = desk_of(studio).job(slot)  # type: ignore[arg-type]  # two of its names
        assert job
        assert job.task.kind == slot
        assert job.task.folder.is_relative_to(desk_of(studio).folder)
        chosen = job.task.chosen
        assert isinstance(chosen, ClipChoices)
        assert chosen.clip.read_bytes() == content
        assert chosen.style == find_style("udnie")
        assert chosen.pipeline == studio.choices.pipelines[-1].path


def test_a_style_is_learned_from_an_uploaded_or_listed_image(
    page: AppTest, studio: Studio, write_clip: WriteClip, tmp_path: Path
) -> None:
    first, second = (choice.path for choice in studio.choices.style_images)
    for image in (first, second):
        style = find_image_style([image])
        # In place of two minutes of learning: the command looks for what this image has given.
        learn_once(style, partial(put_style, style.path))
    content = write_clip(tmp_path / "clip.mp4", count=2).read_bytes()
    page.file_uploader(key="clip").upload("clip.mp4", content, "video/mp4").run()
    [box] = [box for box in page.selectbox if box.label == "Style"]
    box.select_index(len(studio.choices.styles))
    assert chosen_style(press(page.run(), "Stylize the video"), studio) == first
    page.file_uploader(key="clip_style").upload("b.png", second.read_bytes(), "image/png").run()
    uploaded = chosen_style(press(page, "Stylize the video"), studio)
    assert uploaded.read_bytes() == second.read_bytes()
    assert uploaded.is_relative_to(desk_of(studio).folder)


def put_style(path: Path) -> None:
    """What a training writes."""
    path.write_bytes(find_style("great-wave").read_bytes())


def chosen_style(page: AppTest, studio: Studio) -> Path:
    """Of the clip that was stylized just now."""
    job = desk_of(studio).job("clip")
    assert job
    until(job.ended.is_set)
    assert job.status.state == "done", job.status.error
    assert isinstance(job.task.chosen, ClipChoices)
    page.run()
    return job.task.chosen.style


def test_a_stylized_video_can_be_downloaded_and_evaluated(
    page: AppTest, studio: Studio, write_clip: WriteClip, tmp_path: Path
) -> None:
    content = write_clip(tmp_path / "clip.mp4", count=4).read_bytes()
    page.file_uploader(key="clip").upload("clip.mp4", content, "video/mp4").run()
    page.radio[0].set_value(len(studio.choices.pipelines) - 1)
    press(page.run(), "Stylize the video")
    job = desk_of(studio).job("clip")
    assert job
    until(job.ended.is_set)
    page.run()
    assert not page.exception
    assert job.status.state == "done", job.status.error
    assert [button.label for button in page.get("download_button")] == ["Download"]
    assert len(page.get("iframe")) == 1
    press(page, "Evaluate")
    evaluation = desk_of(studio).job("evaluation")
    assert evaluation
    until(evaluation.ended.is_set)
    assert evaluation.status.state == "done", evaluation.status.error
    page.run()
    labels = [button.label for button in page.get("download_button")]
    assert labels == ["Download", "Download the report"]


def test_what_is_no_clip_is_one_line_with_the_name_that_it_had(
    page: AppTest, studio: Studio
) -> None:
    page.file_uploader(key="clip").upload("<b>.mp4", b"no clip", "video/mp4").run()
    press(page, "Stylize the video")
    job = desk_of(studio).job("clip")
    assert job
    until(job.ended.is_set)
    [error] = page.run().error
    assert error.value.startswith(r"\<b\>\.mp4\: ")
    assert str(desk_of(studio).folder.parent) not in error.value.replace("\\", "")


def test_too_many_jobs_are_refused(page: AppTest, studio: Studio) -> None:
    press(page, "Stylize")
    first = desk_of(studio).job("image")
    assert first
    for _ in range(8):
        studio.jobs.submit(first.task)
    until(lambda: desk_of(studio).job("image"))
    press(page, "Stop")
    studio.jobs.submit(first.task)
    press(page, "Stylize")
    assert page.warning[0].value.startswith(r"busy\: 8 jobs are waiting")
