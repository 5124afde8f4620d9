"""``auto`` is what is there, and the defaults of training and optimization agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.models.gatys_world import vgg_weights
from vidstyle.core.errors import WeightsError
from vidstyle.models.loss.loss_options import (
    LossOptions,
    choose_backbone,
    find_weights_file,
)
from vidstyle.models.optimization.options import StillOptions
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.catalog import CATALOG
from vidstyle.stages.stylize.gatys_options import GatysMultipassOptions, GatysOptions
from vidstyle.training.settings import TrainingSettings

# A network keeps of a photo what its losses ask for; optimization starts at the photo.
TRAINING_ALONE: dict[type[LossOptions], set[str]] = {
    TrainingSettings: {"content_weight", "structure_weight", "variation_weight", "style_scales"}
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, empty."""
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    return tmp_path / "cache" / "weights"


def put_official(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CATALOG[name].file).write_bytes(b"")


def test_auto_is_the_first_network_whose_weights_are_there(cache: Path, tmp_path: Path) -> None:
    assert choose_backbone() == "vgg16"
    for name in ("resnet", "squeezenet", "vgg19", "vgg16"):
        put_official(cache, name)
        assert choose_backbone() == name
    put_official(tmp_path / "mine", "vgg19")
    assert choose_backbone(tmp_path / "mine") == "vgg16"


def test_auto_is_the_network_of_a_file_by_its_keys(tmp_path: Path) -> None:
    deeper = {"features.16.weight": torch.zeros(256, 256, 3, 3)}
    path = tmp_path / "any name.safetensors"
    safetensors_file.write(path, {**vgg_weights(), **deeper}, {})
    assert choose_backbone(path) == "vgg19"


def test_resolved_options_have_no_auto(cache: Path) -> None:
    put_official(cache, "squeezenet")
    options = LossOptions().resolve_auto("cuda:0")
    assert (options.backbone, options.precision) == ("squeezenet", "float32")
    given = LossOptions(backbone="vgg19", precision="bfloat16")
    assert given.resolve_auto("cpu") is given


def test_without_weights_address_and_size_are_named(cache: Path) -> None:
    words = r"vgg16-397923af\.pth \(528 MiB\) and put it into"
    with pytest.raises(WeightsError, match=words):
        find_weights_file("vgg16", None, offline=True)


@pytest.mark.parametrize(
    "model", [StillOptions, GatysOptions, GatysMultipassOptions, TrainingSettings]
)
def test_defaults_agree_but_where_a_term_means_another_thing(model: type[LossOptions]) -> None:
    own = {
        name
        for name, field in LossOptions.model_fields.items()
        if model.model_fields[name].default != field.default
    }
    assert own <= {"temporal_weight", "precision"} | TRAINING_ALONE.get(model, set())


def test_the_shared_vgg16_is_recognized(shared_data: Path) -> None:
    folder = shared_data / "weights"
    assert choose_backbone(folder) == "vgg16"
    file = find_weights_file("vgg16", folder, offline=True)
    assert file.name == "vgg16_features_edges_caffe_bgr_fp16.safetensors"
