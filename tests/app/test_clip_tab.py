"""Every control for a video, and what it chooses."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="Streamlit, the extra `app`, is not installed")

from streamlit.testing.v1 import AppTest

from tests.app.conftest import WriteClip
from tests.app.page_controls import desk_of, downloads, enabled, finished, press
from tests.app.test_job_queue import until
from vidstyle.app.server import PAGE
from vidstyle.app.studio import Studio
from vidstyle.app.tasks import ClipChoices
from vidstyle.models.style.styles import find_style
from vidstyle.training.style_cache import find_image_style, learn_once

pytestmark = pytest.mark.slow


@pytest.fixture
def page(studio: Studio) -> AppTest:
    return AppTest.from_file(str(PAGE), default_timeout=30).run()


def test_the_sample_can_be_tried_at_once(page: AppTest, studio: Studio) -> None:
    assert enabled(page, "Stylize the video")
    press(page, "Try three frames")
    job = finished(page, studio, "preview")
    assert isinstance(job.task.chosen, ClipChoices)
    assert job.task.chosen.clip == studio.choices.clips[0].path
    frames = [path.parent.name for path in sorted(job.task.folder.glob("frame-*/*.png"))]
    assert frames == ["frame-000020", "frame-000060", "frame-000100"]


def test_without_a_sample_nothing_can_be_done_before_a_video_is_there(
    page: AppTest, studio: Studio
) -> None:
    studio.choices = replace(studio.choices, clips=())
    page.run()
    assert not enabled(page, "Try three frames")
    assert not enabled(page, "Stylize the video")


def test_what_a_pipeline_or_style_needs_is_not_downloaded_unasked(
    page: AppTest, studio: Studio, tmp_path: Path
) -> None:
    names = [choice.path.stem for choice in studio.choices.pipelines]
    page.selectbox(key="pipeline").select_index(names.index("temporal-quality")).run()
    assert not enabled(page, "Stylize the video")
    assert enabled(page, "Download raft-small (4 MiB)")
    page.selectbox(key="pipeline").select_index(0)
    page.selectbox(key="clip-style").select_index(len(studio.choices.styles)).run()
    assert enabled(page, "Stylize the video")
    for file in tmp_path.glob("weights/*"):
        file.unlink()
    assert not enabled(page.run(), "Stylize the video")
    assert enabled(page, "Download vgg16 (528 MiB)")


def test_videos_stay_and_an_upload_in_use_as_well(
    page: AppTest, studio: Studio, write_clip: WriteClip, tmp_path: Path
) -> None:
    content = write_clip(tmp_path / "clip.mp4", count=4).read_bytes()
    page.file_uploader(key="clip").upload("a.mp4", content, "video/mp4").run()
    press(page, "Stylize the video")
    first = finished(page, studio, "clip")
    page.file_uploader(key="clip").upload("b.mp4", content, "video/mp4").run()
    press(page, "Stylize the video")
    last = finished(page, studio, "clip")
    assert downloads(page) == ["Download", "Download"]
    shown = [caption.value for caption in page.caption if "The Great Wave ·" in caption.value]
    assert shown == [
        rf"{name}\.mp4 · The Great Wave · Temporally consistent" for name in ("b", "a")
    ]
    page.button(key=f"evaluate-{first.task.folder.name}").click().run()
    finished(page, studio, "evaluation")
    page.button(key=f"remove-{last.task.folder.name}").click().run()
    assert downloads(page) == ["Download", "Download the report"]


def test_the_controls_of_a_video_reach_its_task(
    page: AppTest, studio: Studio, write_clip: WriteClip, tmp_path: Path
) -> None:
    content = write_clip(tmp_path / "clip.mp4").read_bytes()
    page.file_uploader(key="clip").upload("clip.mp4", content, "video/mp4").run()
    style = page.selectbox(key="clip-style")
    style.select_index([choice.path for choice in studio.choices.styles].index(find_style("udnie")))
    page.selectbox(key="pipeline").select_index(len(studio.choices.pipelines) - 1)
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
    page.selectbox(key="clip-style").select_index(len(studio.choices.styles))
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
    chosen = finished(page, studio, "clip").task.chosen
    assert isinstance(chosen, ClipChoices)
    return chosen.style


def test_a_stylized_video_can_be_downloaded_and_evaluated(
    page: AppTest, studio: Studio, write_clip: WriteClip, tmp_path: Path
) -> None:
    content = write_clip(tmp_path / "clip.mp4", count=4).read_bytes()
    page.file_uploader(key="clip").upload("clip.mp4", content, "video/mp4").run()
    page.selectbox(key="pipeline").select_index(len(studio.choices.pipelines) - 1)
    press(page.run(), "Stylize the video")
    finished(page, studio, "clip")
    assert downloads(page) == ["Download"]
    assert len(page.get("iframe")) == 1
    press(page, "Evaluate")
    finished(page, studio, "evaluation")
    assert downloads(page) == ["Download", "Download the report"]


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
