"""Outputs get the names that a user would give them, and never collide."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidstyle.core.errors import InputError, OutputError, UsageError
from vidstyle.runner.plan.naming import mirrored_paths, output_paths


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.mov", tmp_path / "b.mov"]
    for path in paths:
        path.touch()
    return paths


def test_without_a_name_the_output_says_what_was_done(clips: list[Path]) -> None:
    [(_, out)] = output_paths(clips[:1], None, ".mp4", label="temporal")
    assert out == Path("a-temporal.mp4")


def test_several_inputs_go_into_a_folder(clips: list[Path], tmp_path: Path) -> None:
    pairs = output_paths(clips, tmp_path, ".mp4", label="x")
    assert [out for _, out in pairs] == [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    with pytest.raises(OutputError, match="not a folder"):
        output_paths(clips, tmp_path / "new.mp4", ".mp4", label="x")


def test_a_single_output_is_taken_as_it_is(clips: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "x.mkv"
    assert output_paths(clips[:1], out, ".mp4", label="x") == [(clips[0], out)]


def test_a_folder_of_images_is_the_output_itself(clips: list[Path], tmp_path: Path) -> None:
    assert output_paths(clips[:1], tmp_path, "", label="x") == [(clips[0], tmp_path)]


def test_two_inputs_never_become_one_file(tmp_path: Path) -> None:
    clips = [tmp_path / "a.mov", tmp_path / "a.avi"]
    for clip in clips:
        clip.touch()
    with pytest.raises(UsageError, match="would all become"):
        output_paths(clips, tmp_path, ".mp4", label="x")


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.mp4: no such file"):
        output_paths([tmp_path / "gone.mp4"], None, ".mp4", label="x")


def test_a_tree_is_mirrored_and_twins_keep_their_suffix() -> None:
    folder = Path("in")
    clips = [folder / "x.mov", folder / "deep" / "y.mov", folder / "deep" / "y.avi"]
    assert mirrored_paths(clips, folder, Path("out"), ".mp4") == [
        Path("out/x.mp4"),
        Path("out/deep/y.mov.mp4"),
        Path("out/deep/y.avi.mp4"),
    ]


def test_clips_that_stay_alike_are_refused_rather_than_skipped() -> None:
    clips = [Path("in/a.avi"), Path("in/a.mov"), Path("in/a.mov.mp4")]
    with pytest.raises(UsageError, match="would all become"):
        mirrored_paths(clips, Path("in"), Path("out"), ".mp4")


def test_a_folder_of_images_never_holds_another_output() -> None:
    clips = [Path("in/a.mp4"), Path("in/a/b.mp4")]
    paths = mirrored_paths(clips, Path("in"), Path("out"), "")
    assert paths == [Path("out/a.mp4"), Path("out/a/b")]


def test_a_name_that_no_file_system_takes_is_an_input_error() -> None:
    with pytest.raises(InputError, match="check the name"):
        output_paths([Path("x" * 300)], None, ".mp4", label="x")


def test_a_name_that_no_file_system_takes_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_text("")
    with pytest.raises(OutputError, match="choose another -o"):
        output_paths([tmp_path / "in.mp4"], tmp_path / ("x" * 300), ".mp4", label="a")
