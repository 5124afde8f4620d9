"""Learned styles are found by content, learned by one process at a time, and checked when used."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from filelock import FileLock

from tests.training.learning_world import make_world
from vidstyle.core.errors import InputError, OutputError
from vidstyle.models.style.styles import find_style
from vidstyle.training import learn_style
from vidstyle.training.style_cache import ImageStyle, find_image_style, learn_once


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_world(tmp_path, monkeypatch)
    return tmp_path


@pytest.fixture
def style(world: Path) -> ImageStyle:
    return find_image_style([world / "stripes.png"])


def put(style: ImageStyle) -> None:
    """What a training writes."""
    style.path.write_bytes(find_style("great-wave").read_bytes())


def test_the_content_counts_and_the_name_does_not(world: Path, style: ImageStyle) -> None:
    copy = world / "elsewhere.png"
    copy.write_bytes((world / "stripes.png").read_bytes())
    assert find_image_style([copy]).path == style.path
    assert find_image_style([copy, copy]).path == style.path
    assert find_image_style([world / "bands.png"]).path != style.path
    assert style.path.parent == world / "cache" / "styles"


def test_the_order_of_images_does_not_count(world: Path) -> None:
    images = [world / "stripes.png", world / "bands.png"]
    one, other = find_image_style(images), find_image_style(images[::-1])
    assert (one.path, one.images) == (other.path, other.images)
    assert one.path != find_image_style(images[:1]).path


def test_settings_and_recipe_count(
    world: Path, style: ImageStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = learn_style.ON_THE_SPOT.model_copy(update={"iterations": 5})
    paths = {style.path}
    monkeypatch.setattr(learn_style, "ON_THE_SPOT", more)
    paths.add(find_image_style([world / "stripes.png"]).path)
    monkeypatch.setattr(learn_style, "RECIPE", 0)
    paths.add(find_image_style([world / "stripes.png"]).path)
    assert len(paths) == 3


def test_a_style_is_learned_once(style: ImageStyle) -> None:
    assert not style.is_learned()
    learn_once(style, lambda: put(style))
    assert style.is_learned()
    learn_once(style, pytest.fail)


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no checksum"])
def test_a_damaged_style_is_learned_again(style: ImageStyle, damage: str) -> None:
    learn_once(style, lambda: put(style))
    content = style.path.read_bytes()
    checksum = style.path.with_name(f"{style.path.name}.sha256")
    if damage == "cut":
        style.path.write_bytes(content[:1000])
    elif damage == "changed":
        style.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:
        (style.path if damage == "gone" else checksum).unlink()
    assert not style.is_learned()
    learn_once(style, lambda: put(style))
    assert style.path.read_bytes() == content
    assert style.is_learned()


def test_a_style_of_another_version_is_learned_again(style: ImageStyle) -> None:
    """Whole by its checksum, and not what this version reads."""
    learn_once(style, lambda: style.path.write_bytes(b"another format"))  # type: ignore[arg-type, return-value]  # the count is not needed
    assert not style.is_learned()


def test_what_fails_leaves_nothing_that_counts_as_learned(style: ImageStyle) -> None:
    with pytest.raises(KeyboardInterrupt):
        learn_once(style, _interrupt)
    assert not style.is_learned()
    learn_once(style, lambda: put(style))
    assert style.is_learned()


def _interrupt() -> None:
    raise KeyboardInterrupt


def test_a_second_process_waits_and_takes_the_result(style: ImageStyle) -> None:
    style.path.parent.mkdir(parents=True)
    waited, done = threading.Event(), threading.Event()

    def second() -> None:
        learn_once(style, pytest.fail, wait=waited.set)
        done.set()

    def first() -> None:
        thread.start()
        assert waited.wait(10)
        assert not done.is_set()
        put(style)

    thread = threading.Thread(target=second)
    learn_once(style, first)
    thread.join(10)
    assert done.is_set()


def test_the_lock_of_a_process_that_is_gone_holds_nobody_up(style: ImageStyle) -> None:
    style.path.parent.mkdir(parents=True)
    with FileLock(style.path.with_name(f".{style.path.stem}.lock")):
        pass
    learn_once(style, lambda: put(style), wait=pytest.fail)
    assert style.is_learned()


def test_a_cache_that_cannot_be_written_is_named(world: Path, style: ImageStyle) -> None:
    (world / "cache").write_text("in the way")
    with pytest.raises(OutputError, match=r"cannot keep styles in .*VIDSTYLE_CACHE"):
        learn_once(style, pytest.fail)


def test_a_missing_image_is_named(world: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png is not there"):
        find_image_style([world / "none.png"])


def test_a_style_says_how_far_it_has_come(style: ImageStyle) -> None:
    assert style.steps_taken() == 0
    style.path.parent.mkdir(parents=True)
    style.checkpoint.write_bytes(b"damaged")
    assert style.steps_taken() == 0
