"""Patterns of paths mean what they mean in a .gitignore file: git itself is asked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePath

import pytest

from vidstyle.core.errors import UsageError
from vidstyle.runner.path_patterns import PathPatterns

PATHS = [
    "a.mp4",
    "b.mov",
    "shot/a.mp4",
    "shot/deep/c.mp4",
    "shot/deep/d.mov",
    "old/a.mp4",
    "new/old/x.mp4",
    "new/[1].mp4",
    "new/take-1.mp4",
    "new/take-2.mp4",
    "new/take-10.mp4",
    "new/a b.mp4",
]
PATTERNS = [
    *("*.mp4", "a.mp4", "a.*", "/a.mp4", "shot/*.mp4", "shot/**", "**/a.mp4", "shot/**/c.mp4"),
    *("old", "old/", "/old", "/old/", "deep", "shot/deep", "take-?.mp4", "take-[12].mp4"),
    *("take-[!1].mp4", "take-[^1].mp4", "new/take*", "*", "**", "x.mp4", "new/old/x.mp4"),
    *("a b.mp4", "take-[0-9]*.mp4", "**/old/**", "**/deep/d.mov", "a.mp4/", "s*t/d?ep"),
    # Several, in their order.
    *("*.m*\n!a.mp4", "!a.mp4\n*.m*", "*\n!*.mov", "shot/\n!c.mp4", "*.mp4\n!/new/**\ntake-1*"),
    *("new/\\[1\\].mp4", "new/*\n!new/old", "new\n!new/old/x.mp4"),
]


@pytest.mark.parametrize("patterns", PATTERNS)
def test_patterns_match_what_git_would_ignore(tmp_path: Path, patterns: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("no git")
    git = ["git", "-c", "init.defaultBranch=main", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True, capture_output=True)
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    (tmp_path / ".gitignore").write_text(f"{patterns}\n")
    asked = subprocess.run(
        [*git, "-c", "core.quotePath=false", "check-ignore", *PATHS],
        capture_output=True,
        text=True,
        check=False,
    )
    matched = PathPatterns(patterns.splitlines())
    found = [path for path in PATHS if matched.matches(PurePath(path))]
    assert found == asked.stdout.splitlines()


def test_a_folder_of_images_is_matched_as_a_folder() -> None:
    assert PathPatterns(["shot/"]).matches(PurePath("shot"), is_folder=True)
    assert not PathPatterns(["shot/"]).matches(PurePath("shot"))
    assert PathPatterns(["shot*"]).matches(PurePath("a/shot1"), is_folder=True)


def test_patterns_that_match_nothing_are_named_whatever_others_take_back() -> None:
    patterns = PathPatterns(["*.mp4", "!a.mp4", "!b.mp4", "*.avi"])
    assert patterns.unused([(PurePath("a.mp4"), False)]) == ["!b.mp4", "*.avi"]


@pytest.mark.parametrize("text", ["[z-a]", "!", "a\\"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not one"):
        PathPatterns(["*.mp4", text])
