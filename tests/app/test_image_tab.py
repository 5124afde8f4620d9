"""Every control for an image, and what it chooses."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="Streamlit, the extra `app`, is not installed")

from pydantic import Field
from streamlit.testing.v1 import AppTest

from tests.app.page_controls import desk_of, downloads, enabled, finished, press
from tests.app.test_job_queue import until
from vidstyle.app.page import optimization as optimization_settings
from vidstyle.app.server import PAGE
from vidstyle.app.studio import Studio
from vidstyle.app.tasks import ImageChoices, PhotoChoices, Task
from vidstyle.models.loss.loss_options import LossWeights
from vidstyle.models.optimization.options import StillOptions
from vidstyle.models.style.styles import find_style
from vidstyle.models.weights.catalog import CATALOG

pytestmark = pytest.mark.slow


@pytest.fixture
def page(studio: Studio) -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=30).run()


def image_task(studio: Studio) -> Task:
    job = desk_of(studio).job("image")
    assert job
    return job.task


def photo_choices(studio: Studio) -> PhotoChoices:
    chosen = image_task(studio).chosen
    assert isinstance(chosen, PhotoChoices)
    return chosen


def image_choices(studio: Studio) -> ImageChoices:
    chosen = image_task(studio).chosen
    assert isinstance(chosen, ImageChoices)
    return chosen


@pytest.fixture
def optimization(page: AppTest) -> AppTest:
    """The page with its second way to stylize an image."""
    page.radio(key="method").set_value("Any style image")
    return page.run()


def test_one_press_stylizes_a_sample_in_a_trained_style(page: AppTest, studio: Studio) -> None:
    assert not page.exception
    press(page, "Stylize")
    chosen = photo_choices(studio)
    assert chosen.content == studio.choices.images[0].path
    assert chosen.style == find_style("great-wave")
    finished(page, studio, "image")
    assert downloads(page) == ["Download"]
    assert r"Hills · The Great Wave · 160x100" in [caption.value for caption in page.caption]


def test_the_controls_of_a_trained_style_reach_its_task(page: AppTest, studio: Studio) -> None:
    page.selectbox(key="photo-list").select_index(1)
    styles = [choice.path for choice in studio.choices.styles]
    page.selectbox(key="image-style").select_index(styles.index(find_style("udnie")))
    page.slider(key="image-strength").set_value(0.5)
    page.select_slider(key="image-strokes").set_value(2.0)
    page.select_slider(key="image-size").set_value(480)
    page.toggle(key="image-colors").set_value(True)
    press(page.run(), "Stylize")
    assert photo_choices(studio) == PhotoChoices(
        content=studio.choices.images[1].path,
        content_name="Sea",
        style=find_style("udnie"),
        style_name="Udnie",
        strength=0.5,
        stroke_size=2.0,
        keep_colors=True,
        size=480,
    )


def test_results_stay_until_they_are_removed(page: AppTest, studio: Studio) -> None:
    press(page, "Stylize")
    first = finished(page, studio, "image")
    content = studio.choices.images[1].path.read_bytes()
    page.file_uploader(key="photo").upload("mine.png", content, "image/png").run()
    page.slider(key="image-strength").set_value(0.5).run()
    assert desk_of(studio).job("image") is first
    assert downloads(page) == ["Download"]
    press(page, "Stylize")
    last = finished(page, studio, "image")
    assert desk_of(studio).jobs("image") == (last, first)
    assert downloads(page) == ["Download", "Download"]
    shown = [caption.value for caption in page.caption if "The Great Wave ·" in caption.value]
    assert shown == [
        r"mine\.png · The Great Wave · strength 0\.5 · 160x100",
        "Hills · The Great Wave · 160x100",
    ]
    page.button(key=f"remove-{last.task.folder.name}").click().run()
    assert desk_of(studio).jobs("image") == (first,)
    assert downloads(page) == ["Download"]


def test_the_first_choice_of_everything_can_be_optimized(
    optimization: AppTest, studio: Studio
) -> None:
    press(optimization, "Stylize")
    assert not optimization.exception
    task = image_choices(studio)
    assert (task.steps, task.size, task.backbone, task.strength) == (20, 500, "vgg19", 1.0)
    assert task.content == studio.choices.images[0].path
    assert task.style_image == studio.choices.style_images[0].path
    [command] = list(image_task(studio).commands())
    assert "--offline" in command.arguments


def test_a_network_is_downloaded_only_when_asked_for(
    optimization: AppTest, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens there: as if this machine had no connection.
    for variable in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    page = optimization
    page.selectbox(key="network").set_value("squeezenet").run()
    assert not enabled(page, "Stylize")
    [line] = [each.value for each in page.markdown if "squeezenet" in each.value]
    assert "**5 MiB** from download.pytorch.org" in line
    assert desk_of(studio).job("download") is None
    press(page, "Download squeezenet (5 MiB)")
    job = desk_of(studio).job("download")
    assert job
    until(job.ended.is_set)
    page.run()
    assert [error.value for error in page.error] == [
        "squeezenet was not downloaded. Trained styles work without it."
    ]
    assert any("no connection to" in caption.value for caption in page.caption)
    page.radio(key="method").set_value("A trained style").run()
    press(page, "Stylize")
    finished(page, studio, "image")


def test_a_download_can_be_stopped_and_what_has_come_counts(
    optimization: AppTest, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = optimization
    page.selectbox(key="network").set_value("squeezenet").run()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for variable in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{silent.getsockname()[1]}")
        press(page, "Download squeezenet (5 MiB)")
        connection, _ = silent.accept()
        with connection:
            press(page, "Stop")
    job = desk_of(studio).job("download")
    assert job
    assert job.status.state == "stopped"
    assert [info.value for info in page.info] == ["Stopped. The next download resumes there."]
    # Another program may bring it meanwhile.
    put_weights("squeezenet")
    assert enabled(page.run(), "Stylize")


def put_weights(name: str) -> None:
    """A file where the weights of a network are looked for."""
    (Path(os.environ["VIDSTYLE_WEIGHTS"]) / CATALOG[name].file).write_bytes(b"weights")


def test_the_controls_of_an_optimization_reach_its_task(
    optimization: AppTest, studio: Studio
) -> None:
    put_weights("squeezenet")
    page = optimization.run()
    page.selectbox(key="photo-list").select_index(1)
    page.selectbox(key="style_image-list").select_index(1)
    page.selectbox(key="network").set_value("squeezenet")
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
    assert (task.content_name, task.style_name) == ("Sea", "Oil")
    assert task.backbone == "squeezenet"
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
    optimization: AppTest, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, module = optimization, optimization_settings
    fields = {**module._OPTIONS, **MoreWeights.model_fields}
    monkeypatch.setattr(module, "LossWeights", MoreWeights)
    monkeypatch.setattr(module, "_OPTIONS", fields)
    [slider] = [s for s in page.run().select_slider if s.label == "Fine detail"]
    assert slider.value == 0.0
    slider.set_value(0.5)
    press(page.run(), "Stylize")
    assert image_choices(studio).weights["fine_detail_weight"] == 0.5


def test_nothing_of_the_style_image_cannot_be_stylized(optimization: AppTest) -> None:
    page = optimization
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
    task = photo_choices(studio)
    assert task.content.read_bytes() == content
    assert task.content.is_relative_to(desk_of(studio).folder)
    assert task.content.name == "original.jpg"


def test_what_is_no_image_is_refused_and_the_list_counts(
    optimization: AppTest, studio: Studio
) -> None:
    page = optimization
    page.file_uploader(key="style_image").upload("a*b*.png", b"no image", "image/png").run()
    [error] = page.error
    assert error.value.startswith(r"a\*b\*\.png is not an image")
    press(page, "Stylize")
    assert image_choices(studio).style_image == studio.choices.style_images[0].path


def test_a_running_job_can_be_stopped_and_its_image_stays(
    optimization: AppTest, studio: Studio
) -> None:
    page = optimization
    press(page, "Stylize")
    job = desk_of(studio).job("image")
    assert job
    until(lambda: job.status.done > 1)
    press(page, "Stop")
    assert job.status.state == "stopped"
    assert [info.value for info in page.info] == ["Stopped."]
    assert downloads(page) == ["Download"]
    press(page, "Stylize")
    assert job in desk_of(studio).jobs("image")


def test_too_many_jobs_are_refused(optimization: AppTest, studio: Studio) -> None:
    page = optimization
    press(page, "Stylize")
    first = desk_of(studio).job("image")
    assert first
    for _ in range(8):
        studio.jobs.submit(first.task)
    press(page, "Stop")
    studio.jobs.submit(first.task)
    press(page, "Stylize")
    assert page.warning[0].value.startswith(r"busy\: 8 jobs are waiting")
