"""The report as a whole: one file that holds what it shows, and nothing that anybody named."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import av
import numpy as np
import pytest

from tests.report.conftest import NewEvaluation, build_evaluation, write_images
from tests.report.page_reader import PageReader
from vidstyle.core import HostArray
from vidstyle.core.errors import InputError, OutputError, UsageError
from vidstyle.evaluation.scores import Evaluation, Series
from vidstyle.report.flicker_report import write_report
from vidstyle.testing import hard_cut

FRAMES, CUT = 16, 9
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\udcff\x1b&lt;.mp4"
NAMES = ("blended.mkv", HOSTILE)
HIGH = {3: 0.9, 6: 0.8, 12: 0.7}
"""Values of the worst frames, by frame; the second is too near to the first."""


def still_flow(first: HostArray, second: HostArray) -> tuple[HostArray, HostArray]:
    flow = np.zeros((*first.shape[:2], 2), np.float32)
    return flow, flow


@pytest.fixture(scope="module")
def clip_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clips")
    images = [frame.host("source") for frame in hard_cut(frames=FRAMES, at=CUT).frames]
    stylized = [1 - image for image in images]
    clips = {
        "source": write_images(folder / "source.mkv", images),
        "per frame": write_images(folder / "p", stylized),
    }
    return clips | {
        name: write_images(folder / f"{at}.mkv", stylized) for at, name in enumerate(NAMES)
    }


@pytest.fixture
def clips(clip_files: dict[str, Path]) -> dict[str, Path]:
    """The files, which no test may change, in a table that a test may."""
    return dict(clip_files)


def evaluate_clips() -> dict[str, Evaluation]:
    def series(low: float) -> Series:
        values = (HIGH.get(index, low + index / 1000) for index in range(FRAMES))
        return tuple(None if at in (0, CUT) else value for at, value in enumerate(values))

    notes = ("a <b>note</b>",)
    return {
        NAMES[0]: build_evaluation(series(0.1), cuts=(CUT,), notes=notes),
        NAMES[1]: build_evaluation(series(0.2), cuts=(CUT,), notes=(*notes, "another")),
    }


@pytest.fixture
def evaluations() -> dict[str, Evaluation]:
    return evaluate_clips()


@pytest.fixture(scope="module")
def report_file(tmp_path_factory: pytest.TempPathFactory, clip_files: dict[str, Path]) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, evaluate_clips(), clip_files, still_flow, (0, None))
    return path


@pytest.fixture(scope="module")
def report(report_file: Path) -> PageReader:
    return PageReader(report_file.read_text("utf-8"))


def preview_videos_of(page: PageReader) -> list[bytes]:
    sources = [preview_video.attributes["src"] or "" for preview_video in page.named("video")]
    assert all(source.startswith("data:video/mp4;base64,") for source in sources)
    return [base64.b64decode(source.split(",", 1)[1]) for source in sources]


def count(preview_video: bytes) -> int:
    with av.open(io.BytesIO(preview_video)) as container:
        return sum(1 for _ in container.decode(video=0))


def test_head_says_what_was_evaluated(report: PageReader) -> None:
    text = " ".join("".join(text for _, text in report.texts).split())
    assert "2 clips made from source.mkv, frames 0 to 15, evaluated by" in text
    assert "a test's flow" in report.text_of("strong")
    assert "A shot begins at frame 9." in text
    assert "a <b>note</b>" in text


def test_better_clip_is_marked(report: PageReader) -> None:
    marked = [e for e in report.named("td") if e.attributes.get("class") == "best"]
    assert len(marked) == 1


def test_hostile_names_are_text(report: PageReader) -> None:
    shown = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>��&lt;.mp4"
    assert shown in [text for tag, text in report.texts if tag == "bdi"]
    assert shown in [
        preview_video.attributes["aria-label"] for preview_video in report.named("video")
    ]
    assert len(report.named("script")) == 2
    assert all((image.attributes["src"] or "").startswith("data:") for image in report.named("img"))
    assert not [key for e in report.elements for key in e.attributes if key.startswith("on")]


def test_no_address_is_in_the_page(
    clips: dict[str, Path], report_file: Path, report: PageReader
) -> None:
    text = report_file.read_text("utf-8")
    addresses = set(re.findall(r"""(?:https?:)?//[\w.][^\s"'<]*""", without_data(text)))
    assert addresses == set()
    assert not [e.tag for e in report.elements if {"href", "srcset", "action"} & set(e.attributes)]
    assert not {e.tag for e in report.elements} & {"link", "iframe", "object", "embed", "base"}
    for folder in (report_file.parent, clips["source"].parent):
        assert str(folder) not in text


def without_data(text: str) -> str:
    return re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)


def test_worst_frames_are_shown(report: PageReader) -> None:
    buttons = [e for e in report.named("button") if e.attributes.get("class") == "show"]
    # Of each clip; every other frame lies nearer than 5 to one of these.
    assert [button.attributes["data-frame"] for button in buttons] == ["3", "12"] * 2
    assert len(report.named("img")) == 6 * 4


def test_videos_have_every_frame(report: PageReader) -> None:
    names = ["source", "per frame", NAMES[0]]
    assert [preview_video.attributes["aria-label"] for preview_video in report.named("video")][
        :3
    ] == names
    preview_videos = preview_videos_of(report)
    assert len(preview_videos) == 4
    assert [count(preview_video) for preview_video in preview_videos] == [FRAMES] * 4


def test_script_knows_times_and_values(
    report: PageReader, evaluations: dict[str, Evaluation]
) -> None:
    (text,) = (text for tag, text in report.texts if tag == "script" and text.startswith("{"))
    data = json.loads(text)
    assert data["first"] == 0
    assert data["seconds"] == pytest.approx([at / 25 for at in range(FRAMES)])
    assert data["cuts"] == [CUT]
    (chart,) = data["curves"]
    assert len(chart) == 3
    for drawn, evaluation in zip(chart, evaluations.values(), strict=False):
        for value, true in zip(drawn, evaluation.series["e_warp"], strict=True):
            assert value == (None if true is None else pytest.approx(true, rel=1e-3))


def test_images_have_words_and_controls_have_labels(report: PageReader) -> None:
    assert all(image.attributes["alt"] for image in report.named("img"))
    for tag in ("input", "select"):
        assert report.named(tag)
        assert all("label" in control.inside for control in report.named(tag))


def test_interval_is_what_is_shown(
    tmp_path: Path, clips: dict[str, Path], new_evaluation: NewEvaluation
) -> None:
    evaluations = {NAMES[0]: new_evaluation((None, 0.1, 0.3, 0.2))}
    write_report(tmp_path / "r.html", evaluations, clips, still_flow, (4, 8))
    page = PageReader((tmp_path / "r.html").read_text("utf-8"))
    assert "frames 4 to 7" in page.text_of("p")
    assert [count(preview_video) for preview_video in preview_videos_of(page)] == [4, 4, 4]
    assert "Frames 5 and 6: " in [text for tag, text in page.texts if tag == "h4"]


@pytest.mark.parametrize("most_bytes", [1_000_000, 120_000, 60_000, 43_000, 38_000, 30_000])
def test_size_is_kept(
    tmp_path: Path, evaluations: dict[str, Evaluation], clips: dict[str, Path], most_bytes: int
) -> None:
    path = tmp_path / "report.html"
    write_report(path, evaluations, clips, still_flow, (0, None), most_bytes=most_bytes)
    assert path.stat().st_size <= most_bytes
    page = PageReader(path.read_text("utf-8"))
    lengths = {count(preview_video) for preview_video in preview_videos_of(page)}
    text = page.text_of("p")
    if lengths == set():
        assert "No frame of the clips fits" in text
    elif lengths != {FRAMES}:
        (length,) = lengths
        assert f"Only the first {length} of {FRAMES} frames" in text


def test_a_page_without_room_for_scores_is_refused(
    tmp_path: Path, evaluations: dict[str, Evaluation], clips: dict[str, Path]
) -> None:
    path = tmp_path / "report.html"
    with pytest.raises(UsageError, match="allow more"):
        write_report(path, evaluations, clips, still_flow, (0, None), most_bytes=10_000)
    assert not path.exists()


def test_an_old_report_stays_where_a_new_one_fails(
    tmp_path: Path, evaluations: dict[str, Evaluation], clips: dict[str, Path]
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    clips["source"] = tmp_path / "none.mkv"
    with pytest.raises(InputError, match="no such file"):
        write_report(path, evaluations, clips, still_flow, (0, None))
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_an_old_report_can_be_kept(
    tmp_path: Path, evaluations: dict[str, Evaluation], clips: dict[str, Path]
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(OutputError, match="--overwrite"):
        write_report(path, evaluations, clips, still_flow, (0, None), overwrite=False)
    assert path.read_text() == "old"


def test_a_clip_is_never_overwritten(
    evaluations: dict[str, Evaluation], clips: dict[str, Path]
) -> None:
    before = clips[HOSTILE].read_bytes()
    with pytest.raises(UsageError, match="input itself"):
        write_report(clips[HOSTILE], evaluations, clips, still_flow, (0, None))
    assert clips[HOSTILE].read_bytes() == before


def test_places_that_cannot_be_written_are_refused(
    tmp_path: Path, evaluations: dict[str, Evaluation], clips: dict[str, Path]
) -> None:
    for path in (tmp_path, tmp_path / "none" / "report.html"):
        with pytest.raises(OutputError):
            write_report(path, evaluations, clips, still_flow, (0, None))


def test_missing_and_reserved_names_are_refused(
    tmp_path: Path, evaluations: dict[str, Evaluation], clips: dict[str, Path]
) -> None:
    path = tmp_path / "report.html"
    one = evaluations[NAMES[0]]
    for given, match in (
        ({}, "evaluated clip"),
        ({"source": one}, "cannot have the name"),
        ({"other": one}, "no clip is given for other"),
    ):
        with pytest.raises(ValueError, match=match):
            write_report(path, given, clips, still_flow, (0, None))


def test_clips_without_series_still_have_a_report(tmp_path: Path, clips: dict[str, Path]) -> None:
    bare = Evaluation(evaluator="j", frames=FRAMES, cuts=(), coverage=0.0, scores={})
    path = tmp_path / "report.html"
    write_report(path, {NAMES[0]: bare}, clips, still_flow, (0, None))
    page = PageReader(path.read_text("utf-8"))
    assert page.text_of("h2") == "The clipsScores"


def test_what_was_gained_comes_first(tmp_path: Path, clips: dict[str, Path]) -> None:
    scores = {"warping_error_reduction": 0.4749, "sharpness": 0.9015}
    gained = Evaluation(evaluator="j", frames=FRAMES, cuts=(), coverage=1.0, scores=scores)
    path = tmp_path / "report.html"
    write_report(path, {NAMES[0]: gained}, clips, still_flow, (0, None))
    text = " ".join("".join(text for _, text in PageReader(path.read_text("utf-8")).texts).split())
    sentence = "removes 47 % of the flicker and keeps 90 % of the sharpness."
    assert sentence in text
    assert text.index(sentence) < text.index("The clips")


def test_equal_evaluations_give_equal_reports(
    tmp_path: Path, report_file: Path, clips: dict[str, Path]
) -> None:
    write_report(tmp_path / "again.html", evaluate_clips(), clips, still_flow, (0, None))
    assert (tmp_path / "again.html").read_bytes() == report_file.read_bytes()
