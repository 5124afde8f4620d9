"""What counts as a clip in a folder."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from vidstyle.core.errors import InputError, UsageError
from vidstyle.runner.clips import FoundClips, find_clips, fitted
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Videos, folders of images, and what is neither."""
    names = [
        *("a.mp4", "b.MOV", "notes.txt", ".hidden.mp4", ".cache/c.mp4"),
        *("shot/0001.png", "shot/0002.png", "shot/readme.txt", "shot/sub/x.mkv"),
        *("mixed/d.mp4", "mixed/1.png", "mixed/2.png", "poster/only.png", "out/a.mp4"),
    ]
    for name in names:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "in"


def found_names(tree: Path, source: str = "decode/pyav", **patterns: list[str]) -> list[str]:
    found = find(tree, source, **patterns)
    return [str(clip.relative_to(tree)) for clip in found.clips]


def find(tree: Path, source: str = "decode/pyav", **patterns: list[str]) -> FoundClips:
    return find_clips(tree, leave_out=tree / "out", source=source, **patterns)


def test_videos_and_folders_of_images_are_clips(tree: Path) -> None:
    assert found_names(tree) == ["a.mp4", "b.MOV", "mixed/d.mp4", "shot", "shot/sub/x.mkv"]
    others = [each.path.name for each in find(tree).skipped]
    assert sorted(others) == ["1.png", "2.png", "notes.txt", "only.png", "readme.txt"]


def test_a_pipeline_that_reads_images_takes_folders_alone(tree: Path) -> None:
    assert found_names(tree, "decode/images") == ["shot"]


def test_a_source_of_somebody_else_gets_files_alone(tree: Path) -> None:
    assert "shot" not in found_names(tree, "decode/own")


def test_patterns_choose_clips_and_those_that_match_nothing_are_named(tree: Path) -> None:
    assert found_names(tree, include=["shot"]) == ["shot", "shot/sub/x.mkv"]
    assert found_names(tree, include=["*.mp4", "*.mkv"], exclude=["mixed/"]) == [
        "a.mp4",
        "shot/sub/x.mkv",
    ]
    found = find(tree, include=["*.mp4", "*.avi"], exclude=["none/", "a.*"])
    assert found.unused == ["*.avi", "none/"]
    with pytest.raises(InputError, match="--include and --exclude leave none of 5 clips"):
        find(tree, exclude=["*"])
    with pytest.raises(UsageError, match=r"the pattern \[z-a\] is not one"):
        find(tree, include=["[z-a]"])
    taken_back = found_names(tree, exclude=["*.m*", "!*.mp4"])
    assert taken_back == ["a.mp4", "b.MOV", "mixed/d.mp4", "shot"]


def test_links_to_folders_are_followed_unless_they_lead_back_up(tree: Path) -> None:
    elsewhere = tree.parent / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / "y.mp4").touch()
    (elsewhere / "up").symlink_to(elsewhere)
    (tree / "mixed" / "back").symlink_to(tree)
    (tree / "other").symlink_to(elsewhere)
    (tree / "results").symlink_to(tree / "out")
    found = find(tree)
    names = [str(clip.relative_to(tree)) for clip in found.clips]
    assert names == ["a.mp4", "b.MOV", "mixed/d.mp4", "other/deep/y.mp4", "shot", "shot/sub/x.mkv"]
    assert skipped(found, tree)["links that lead back up"] == ["mixed/back", "other/up"]


def test_what_is_neither_file_nor_folder_is_skipped_with_its_reason(tree: Path) -> None:
    os.mkfifo(tree / "pipe.mp4")
    (tree / "gone.txt").symlink_to(tree / "nothing")
    (tree / "gone.mp4").symlink_to(tree / "nothing")
    (tree / "self.mp4").symlink_to(tree / "self.mp4")
    found = find(tree)
    reasons = skipped(found, tree)
    assert (reasons["pipes"], reasons["links to nothing"]) == (["pipe.mp4"], ["gone.txt"])
    # Somebody expects an output of these: they are clips, which fail.
    assert {tree / "gone.mp4", tree / "self.mp4"} <= {*found.clips}


def skipped(found: FoundClips, tree: Path) -> dict[str, list[str]]:
    """Names by their reasons."""
    names = defaultdict(list)
    for each in found.skipped:
        names[each.reason].append(str(each.path.relative_to(tree)))
    return names


def test_a_folder_that_is_a_clip_itself_is_for_run(tree: Path) -> None:
    (tree / "shot" / "sub" / "x.mkv").unlink()
    with pytest.raises(InputError, match="pass it to `vidstyle run`"):
        find(tree / "shot")


def test_photos_in_the_folder_itself_are_clips(tree: Path) -> None:
    assert found_names(tree / "poster") == ["only.png"]


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Photos of two sizes, photos with names, frames of a clip, and a single photo."""
    sizes = {
        "trip/IMG_01.jpg": (24, 32),
        "trip/IMG_02.jpg": (32, 24),
        "pets/cat.png": (24, 32),
        "pets/dog.png": (24, 32),
        "one/IMG_7.jpg": (24, 32),
        **{f"shot/{number:03}.png": (24, 32) for number in range(3)},
        "loose.webp": (24, 32),
    }
    for name, size in sizes.items():
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), np.zeros((*size, 3), np.uint8))
    return tmp_path / "album"


PHOTOS = [
    *("loose.webp", "one/IMG_7.jpg", "pets/cat.png", "pets/dog.png"),
    *("trip/IMG_01.jpg", "trip/IMG_02.jpg"),
]


def test_images_of_several_sizes_or_without_numbers_are_photos(album: Path) -> None:
    found = find(album)
    assert found_names(album) == sorted([*PHOTOS, "shot"])
    assert [line.replace(str(album), "") for line in found.reasons] == [
        "2 images in /pets are photos: their names are not numbered",
        "2 images in /trip are photos: they differ in size",
    ]


def test_the_user_decides_what_images_are(album: Path) -> None:
    def names(*, photos: bool) -> list[str]:
        found = find_clips(album, leave_out=album / "out", photos=photos)
        return [str(clip.relative_to(album)) for clip in found.clips]

    assert names(photos=True) == sorted([*PHOTOS, "shot/000.png", "shot/001.png", "shot/002.png"])
    assert names(photos=False) == ["pets", "shot", "trip"]


def test_an_image_beside_videos_is_a_poster(album: Path) -> None:
    (album / "trip" / "clip.mp4").touch()
    assert found_names(album) == ["pets/cat.png", "pets/dog.png", "shot", "trip/clip.mp4"]
    assert find_clips(album, leave_out=album / "out", photos=True).clips[-1].name == "clip.mp4"


def test_options_that_both_sources_have_stay(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n    max_pixels: 1000\n    hdr: tonemap\n"
        "  - use: encode/pyav\n"
    )
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry())
    output = Path("out.mp4")
    assert fitted(pipeline, tmp_path / "p.yaml", output) == pipeline
    entry = fitted(pipeline, tmp_path, output).stages[0]
    assert (entry.name, entry.use) == ("decode", "decode/images")
    assert entry.options.model_dump()["max_pixels"] == 1000


def test_a_photo_is_read_and_written_as_an_image(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n    max_pixels: 1000\n"
        "  - use: encode/pyav\n    alpha: auto\n"
    )
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry())
    first, last = fitted(pipeline, Path("a.JPG"), Path("b.png")).stages
    assert (first.use, last.use) == ("decode/images", "encode/images")
    assert first.options.model_dump()["max_pixels"] == 1000
    # It means something else there.
    assert last.options.model_dump()["alpha"] == "keep"
