"""A result says what it was made of, below it and in the name of its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.conftest import clip_choices, image_choices, photo_choices
from vidstyle.app.captions import caption, file_name
from vidstyle.app.choices import PageSettings


def test_a_photo_has_its_style_and_what_was_changed(settings: PageSettings) -> None:
    plain = photo_choices(settings)
    assert caption(plain) == "Sea · The Great Wave"
    assert file_name(plain, ".png") == "sea-the-great-wave.png"
    changed = photo_choices(settings, strength=0.5, stroke_size=2.0, keep_colors=True)
    assert caption(changed) == "Sea · The Great Wave · strength 0.5 · strokes 2 · keeps colors"
    assert file_name(changed, ".png") == (
        "sea-the-great-wave-strength-0.5-strokes-2-keeps-colors.png"
    )


def test_an_optimization_has_its_network_and_steps(settings: PageSettings) -> None:
    plain = image_choices(settings, weights={"style_weight": 1.0})
    assert caption(plain) == "Sea · Oil · vgg19 · 20 steps"
    changed = image_choices(
        settings, weights={"style_weight": 2.0}, layer_weights=(1.0, 0.0, 1.0, 1.0), strength=0.7
    )
    assert caption(changed) == (
        "Sea · Oil · vgg19 · 20 steps · strength 0.7 · style 2 · layers 1 0 1 1"
    )


def test_a_clip_has_its_pipeline(tmp_path: Path) -> None:
    chosen = clip_choices(tmp_path / "original", "mosaic", "My holiday.MOV")
    assert caption(chosen) == "My holiday.MOV · mosaic · Temporally consistent"
    assert file_name(chosen, ".mp4") == "my-holiday-mosaic-temporal.mp4"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("../../etc/passwd.png", "passwd-the-great-wave.png"),
        ("<img src=x>.png", "img-src-x-the-great-wave.png"),
        ("Übung 2.5.jpg", "übung-2.5-the-great-wave.png"),
        ("***.png", "the-great-wave.png"),
        ("a" * 200, f"{'a' * 40}-the-great-wave.png"),
    ],
)
def test_names_of_files_are_harmless(settings: PageSettings, name: str, file: str) -> None:
    assert file_name(photo_choices(settings, content_name=name), ".png") == file
