"""The lists of the page."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from vidstyle.app.choices import PageSettings, find_choices
from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.style.styles import list_styles


def test_pipelines_that_stylize_are_offered_and_no_others(settings: PageSettings) -> None:
    names = [choice.path.stem for choice in find_choices(settings).pipelines]
    assert names[0] == "temporal"
    assert "per-frame" in names
    assert names[-1] == "per-frame"
    # Those need another file, or write one that browsers do not play.
    assert not {"identity", "masked", "stabilize", "gif", "archive"} & set(names)


def test_all_shipped_styles_are_offered(settings: PageSettings) -> None:
    styles = find_choices(settings).styles
    assert {choice.path for choice in styles} == set(list_styles().values())
    assert styles[0].title == "The Great Wave"


def test_a_pipeline_of_somebody_elses_is_described_by_its_comment(
    settings: PageSettings, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    text = (settings.pipelines / "per-frame.yaml").read_text().partition("version")[2]
    (tmp_path / "mine" / "my-way.yaml").write_text(f"# Quick. And more.\nversion{text}")
    (tmp_path / "mine" / "broken.yaml").write_text("stages: 3")
    (tmp_path / "mine" / "lossless.yaml").write_text(f"version{text}".replace("libx264", "ffv1"))
    [choice] = find_choices(replace(settings, pipelines=tmp_path / "mine")).pipelines
    assert (choice.title, choice.about) == ("My way", "Quick.")


def test_networks_whose_weights_are_here_come_first(settings: PageSettings) -> None:
    networks = find_choices(settings).networks
    assert [network.name for network in networks if network.is_here] == ["vgg19"]
    assert networks[0].name == "vgg19"


def test_images_of_one_name_have_their_suffix(settings: PageSettings) -> None:
    assert settings.images
    shutil.copy(settings.images / "sea.png", settings.images / "sea.jpg")
    titles = [choice.title for choice in find_choices(settings).images]
    assert titles == ["Hills", "sea.jpg", "sea.png"]


def test_folders_without_anything_are_refused(settings: PageSettings, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"--images .*has no images"):
        find_choices(replace(settings, images=tmp_path / "empty"))
    with pytest.raises(InputError, match=r"--styles .*No such file"):
        find_choices(replace(settings, style_images=tmp_path / "none"))
    with pytest.raises(UsageError, match="name a folder with --pipelines"):
        find_choices(replace(settings, pipelines=tmp_path / "empty"))
