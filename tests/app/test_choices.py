"""The lists of the page."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from vidstyle.app.choices import (
    PageSettings,
    find_choices,
    find_flow_network,
    find_learning_network,
    find_loss_networks,
)
from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.style.styles import list_styles
from vidstyle.models.weights.catalog import CATALOG


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
    networks = find_loss_networks()
    assert [name for name, network in networks.items() if network.is_here] == ["vgg19"]
    assert next(iter(networks)) == "vgg19"
    assert (networks["vgg16"].mebibytes, networks["vgg16"].server) == (
        CATALOG["vgg16"].mebibytes,
        "download.pytorch.org",
    )
    assert find_learning_network() == networks["vgg19"]


def test_a_pipeline_names_the_network_that_it_needs(settings: PageSettings) -> None:
    network = find_flow_network(settings.pipelines / "temporal-quality.yaml")
    assert network
    assert (network.name, network.is_here) == ("raft-small", False)
    assert find_flow_network(settings.pipelines / "temporal.yaml") is None


def test_without_folders_the_samples_are_offered(settings: PageSettings) -> None:
    found = find_choices(replace(settings, images=None, style_images=None))
    assert found.images[0].title == "Chelsea the cat"
    assert {"stained-glass.jpg"} < {entry.path.name for entry in found.style_images}
    assert found.learnable == ()
    assert [entry.path.name for entry in found.clips] == ["demo.mp4"]
    offered = (*found.images, *found.style_images, *found.clips)
    assert all(entry.path.is_file() for entry in offered)
    given = find_choices(settings)
    assert {entry.path.parent for entry in given.images} == {settings.images}
    assert given.learnable == given.style_images


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
