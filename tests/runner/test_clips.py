"""What counts as a clip in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidstyle.core.errors import InputError, UsageError
from vidstyle.runner.clips import FoundClips, find_clips, reading
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.path_patterns import PathPattern


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
    given = {name: [PathPattern(text) for text in texts] for name, texts in patterns.items()}
    return find_clips(tree, leave_out=tree / "out", source=source, **given)


def test_videos_and_folders_of_images_are_clips(tree: Path) -> None:
    assert found_names(tree) == ["a.mp4", "b.MOV", "mixed/d.mp4", "shot", "shot/sub/x.mkv"]
    others = [path.name for path in find(tree).others]
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
    assert [each.text for each in found.unused] == ["*.avi", "none/"]
    with pytest.raises(InputError, match="--include and --exclude leave none of 5 clips"):
        find(tree, exclude=["*"])
    with pytest.raises(UsageError, match=r"the pattern \[z-a\] is not one"):
        PathPattern("[z-a]")


def test_a_link_that_leads_back_is_not_followed(tree: Path) -> None:
    (tree / "mixed" / "back").symlink_to(tree)
    assert found_names(tree) == ["a.mp4", "b.MOV", "mixed/d.mp4", "shot", "shot/sub/x.mkv"]


def test_a_folder_that_is_a_clip_itself_is_for_run(tree: Path) -> None:
    with pytest.raises(InputError, match="pass it to `vidstyle run`"):
        find(tree / "poster")


def test_options_that_both_sources_have_stay(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "version: 1\nstages:\n  - use: decode/pyav\n    max_pixels: 1000\n    hdr: tonemap\n"
        "  - use: encode/pyav\n"
    )
    pipeline = load_pipeline(tmp_path / "p.yaml", registry=Registry())
    assert reading(pipeline, tmp_path / "p.yaml") is pipeline
    entry = reading(pipeline, tmp_path).stages[0]
    assert (entry.name, entry.use) == ("decode", "decode/images")
    assert entry.options.model_dump()["max_pixels"] == 1000
