"""Outputs get the names that a user would give them, and never collide."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from vidstyle.core.errors import InputError, OutputError, UsageError
from vidstyle.runner.plan.naming import mirrored_paths, output_name, output_paths


def always(suffix: str) -> Callable[[Path], str]:
    """The same suffix for every input."""
    return lambda _: suffix


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.mov", tmp_path / "b.mov"]
    for path in paths:
        path.touch()
    return paths


def test_without_a_name_the_output_says_what_was_done(clips: list[Path]) -> None:
    [(_, out)] = output_paths(clips[:1], None, always(".mp4"), label="temporal")
    assert out == Path("a-temporal.mp4")


def test_several_inputs_go_into_a_folder(clips: list[Path], tmp_path: Path) -> None:
    pairs = output_paths(clips, tmp_path, always(".mp4"), label="x")
    assert [out for _, out in pairs] == [tmp_path / "a.mov.mp4", tmp_path / "b.mov.mp4"]
    new = output_paths(clips, tmp_path / "new", always(".mp4"), label="x")
    assert [out.parent for _, out in new] == [tmp_path / "new"] * 2
    with pytest.raises(OutputError, match="not a folder"):
        output_paths(clips, tmp_path / "new.mp4", always(".mp4"), label="x")


def test_a_single_output_is_taken_as_it_is(clips: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "x.mkv"
    assert output_paths(clips[:1], out, always(".mp4"), label="x") == [(clips[0], out)]


def test_a_folder_of_images_is_the_output_itself(clips: list[Path], tmp_path: Path) -> None:
    assert output_paths(clips[:1], tmp_path, always(""), label="x") == [(clips[0], tmp_path)]


def test_two_inputs_never_become_one_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    clips = [tmp_path / "a.mov", tmp_path / "deep" / "a.mov"]
    for clip in clips:
        clip.touch()
    with pytest.raises(UsageError, match="would all become"):
        output_paths(clips, tmp_path, always(".mp4"), label="x")


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.mp4: no such file"):
        output_paths([tmp_path / "gone.mp4"], None, always(".mp4"), label="x")


def test_a_tree_is_mirrored_and_an_own_name_decides_alone() -> None:
    folder = Path("in")
    clips = [folder / name for name in ("x.mov", "deep/y.mov", "deep/y.avi", "deep/y.mp4")]
    wanted = ["out/x.mov.mp4", "out/deep/y.mov.mp4", "out/deep/y.avi.mp4", "out/deep/y.mp4"]
    assert mirrored_paths(clips, folder, Path("out"), always(".mp4")) == list(map(Path, wanted))
    for clip, output in zip(clips, wanted, strict=True):
        assert mirrored_paths([clip], folder, Path("out"), always(".mp4")) == [Path(output)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif", ""])
def test_two_clips_of_a_folder_never_have_one_output(tmp_path: Path, suffix: str) -> None:
    names = {
        "".join(parts)
        for parts in product(
            ("a", "a.b"), ("", ".mov", ".mp4", ".images"), ("", ".images"), (".mp4", ".MP4", ".mov")
        )
    }
    for name in names:
        (tmp_path / name).touch()
    folders = ["a", "a.b", "a.mov.images", "b.images", "a.images"]
    for name in folders:
        (tmp_path / name).mkdir()
    outputs = [output_name(tmp_path / name, suffix) for name in (*names, *folders)]
    assert len(set(outputs)) == len(outputs)
    assert all(name.endswith(suffix) for name in map(str.lower, outputs))


def test_a_folder_of_images_says_so_and_never_holds_another_output(tmp_path: Path) -> None:
    (tmp_path / "shot.images").mkdir()
    (tmp_path / "shot").mkdir()
    clips = [tmp_path / name for name in ("a.mp4", "shot", "shot/b.mp4")]
    names = mirrored_paths(clips, tmp_path, Path("out"), always(""))
    assert [str(name) for name in names] == [
        "out/a.mp4.images",
        "out/shot.images",
        "out/shot/b.mp4.images",
    ]
    with pytest.raises(UsageError, match="would lie in the output"):
        mirrored_paths(
            [*clips, tmp_path / "shot.images" / "c.mp4"], tmp_path, Path("out"), always("")
        )


def test_a_name_that_no_file_system_takes_is_an_input_error() -> None:
    with pytest.raises(InputError, match="check the name"):
        output_paths([Path("x" * 300)], None, always(".mp4"), label="x")


def test_a_name_that_no_file_system_takes_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_text("")
    with pytest.raises(OutputError, match="choose another -o"):
        output_paths([tmp_path / "in.mp4"], tmp_path / ("x" * 300), always(".mp4"), label="a")


def test_a_photo_keeps_its_name_and_never_has_that_of_another(tmp_path: Path) -> None:
    assert output_name(tmp_path / "IMG.JPG", ".jpg") == "IMG.JPG"
    assert output_name(tmp_path / "a.ppm", ".png") == "a.ppm.png"
    assert output_name(tmp_path / "a.ppm.png", ".png") == "a.ppm.png.png"
    assert output_name(tmp_path / "at 10.30.png", ".png") == "at 10.30.png"
