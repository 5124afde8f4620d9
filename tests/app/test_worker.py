"""The worker process: each task done by itself, and each way to end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import cv2
import pytest

from tests.app.conftest import WriteClip
from vidstyle.app.comparison import comparison_page
from vidstyle.app.news import NEWS, Failed, Made, News, Stage, Step
from vidstyle.app.settings import Settings
from vidstyle.app.tasks import (
    IMAGE,
    PREVIEW_VIDEOS,
    REPORT,
    STYLIZED,
    TASK,
    ClipTask,
    FlickerTask,
    ImageTask,
    PreviewTask,
    Task,
)
from vidstyle.models.style.styles import find_style
from vidstyle.runner.config.shipped import shipped_folder

COMMAND = [sys.executable, "-P", "-m", "vidstyle.app.worker"]
PER_FRAME = shipped_folder() / "per-frame.yaml"
TEMPORAL = shipped_folder() / "temporal.yaml"


def work(task: Task) -> tuple[int, list[News]]:
    """The exit code and what was told."""
    with subprocess.Popen(
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(TASK.dump_json(task).decode() + "\n")
        process.stdin.flush()
        news = [NEWS.validate_json(line) for line in process.stdout]
        code = process.wait()
    return code, news


def image_task(settings: Settings, folder: Path, **more: object) -> ImageTask:
    assert settings.images
    assert settings.style_images
    return ImageTask(
        folder=folder,
        content=settings.images / "sea.png",
        style_image=settings.style_images / "oil.png",
        size=100,
        **more,  # type: ignore[arg-type]  # options by name
    )


@pytest.mark.slow
def test_an_image_is_painted_at_its_size_and_told_of(settings: Settings, tmp_path: Path) -> None:
    code, news = work(image_task(settings, tmp_path, steps=3, layer_weights=(1, 0, 0, 0)))
    assert code == 0
    assert [item.done for item in news if isinstance(item, Step)] == [1, 2, 3]
    assert Made(name=IMAGE) in news
    assert settings.images
    original = cv2.imread(str(settings.images / "sea.png"))
    stylized = cv2.imread(str(tmp_path / IMAGE))
    assert stylized.shape == (62, 100, 3)
    small = cv2.resize(original, (100, 62), interpolation=cv2.INTER_AREA)
    assert abs(stylized.astype(float) - small).mean() > 1


@pytest.mark.slow
def test_strength_nought_is_the_photo(settings: Settings, tmp_path: Path) -> None:
    work(image_task(settings, tmp_path, steps=1, strength=0.0))
    assert settings.images
    original = cv2.imread(str(settings.images / "sea.png"))
    small = cv2.resize(original, (100, 62), interpolation=cv2.INTER_AREA)
    assert abs(cv2.imread(str(tmp_path / IMAGE)).astype(float) - small).max() <= 1


@pytest.mark.slow
def test_frames_are_previewed(write_clip: WriteClip, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    (tmp_path / "made").mkdir()
    style = find_style("mosaic")
    task = PreviewTask(folder=tmp_path / "made", clip=clip, pipeline=TEMPORAL, style=style)
    code, news = work(task)
    assert code == 0
    captions = [item.caption for item in news if isinstance(item, Made)]
    assert captions == ["at 0.1 s", "at 0.2 s", "at 0.4 s"]
    assert sorted(p.name for p in (tmp_path / "made").iterdir()) == [
        f"frame-{number}.jpg" for number in range(3)
    ]
    assert cv2.imread(str(tmp_path / "made" / "frame-0.jpg")).shape == (128, 160, 3)


@pytest.mark.slow
def test_a_clip_is_painted_compared_and_judged(write_clip: WriteClip, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    for name in ("stylized", "judged"):
        (tmp_path / name).mkdir()
    given = {"clip": clip, "pipeline": TEMPORAL, "style": find_style("great-wave")}
    code, news = work(ClipTask(folder=tmp_path / "stylized", **given))
    assert code == 0
    assert [item.done for item in news if isinstance(item, Step)][-1] == 12
    stylized = tmp_path / "stylized" / STYLIZED
    with av.open(str(stylized)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 12
    page = comparison_page(tmp_path / "stylized" / PREVIEW_VIDEOS)
    assert "aspect-ratio: 160 / 128" in page
    assert page.count("data:video/mp4;base64,AAAA") == 2

    code, news = work(FlickerTask(folder=tmp_path / "judged", stylized=stylized, **given))
    assert code == 0
    [report] = [item for item in news if isinstance(item, Made)]
    assert report.name == REPORT
    assert report.caption.endswith("% of the flicker")
    assert "<html" in (tmp_path / "judged" / REPORT).read_text()
    assert [path.name for path in (tmp_path / "judged").iterdir()] == [REPORT]


def test_what_is_no_clip_is_one_line(tmp_path: Path) -> None:
    clip = tmp_path / "original"
    clip.write_text("no clip")
    task = ClipTask(folder=tmp_path, clip=clip, pipeline=PER_FRAME, style=find_style("great-wave"))
    code, news = work(task)
    [failed] = [item for item in news if isinstance(item, Failed)]
    assert code == 3
    assert failed.text.startswith(f"{clip}: ")
    assert "\n" not in failed.text
    assert [path.name for path in tmp_path.iterdir()] == ["original"]


@pytest.mark.slow
def test_a_worker_ends_in_the_middle_when_its_page_has(tmp_path: Path) -> None:
    clip = Path(__file__).parents[2] / "samples" / "demo.mp4"
    task = ClipTask(folder=tmp_path, clip=clip, pipeline=TEMPORAL, style=find_style("scream"))
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(TASK.dump_json(task) + b"\n")
        process.stdin.flush()
        assert b"stage" in process.stdout.readline()
        process.stdin.close()
        assert process.wait(10) == 1
    assert not (tmp_path / STYLIZED).exists()


@pytest.mark.slow
def test_damaged_weights_are_one_line_and_their_own_code(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "weights" / "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors").write_bytes(b"broken")
    code, news = work(image_task(settings, tmp_path))
    assert code == 4
    assert isinstance(news[0], Stage)
    assert isinstance(news[-1], Failed)
