"""Style losses of whole images and of clips, against the formulas."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tests.models.gatys_world import vgg_weights
from vidstyle.core import HostArray
from vidstyle.core.errors import InputError, WeightsError
from vidstyle.evaluation.network_metrics import find_network_metrics
from vidstyle.evaluation.style_losses import StyleLossRatio, evaluation_settings, whole_image_losses
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.image_losses import gram_matrix
from vidstyle.models.loss.objective import Objective
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import Credit, StyleInfo, save_style
from vidstyle.models.weights import safetensors_file
from vidstyle.training.objective import calibrate
from vidstyle.training.settings import TrainingSettings

SETTINGS = TrainingSettings(
    crop=32,
    precision="float32",
    style_layers=("relu1_1", "relu1_2"),
    content_layers=("relu1_2",),
    style_scales=(1.0, 0.5),
    initial_weights="random",
)


class Same(StyleNetwork):
    """Returns its input."""

    architecture = "same"

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def initialize(self, generator: torch.Generator) -> None:
        pass


def photos_of(seed: int, *sizes: tuple[int, int]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(1, 3, *size, generator=generator) for size in sizes]


@pytest.fixture(scope="module")
def extractor() -> Backbone:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for number, inputs in ((0, 3), (2, 64)):
        weights[f"features.{number}.weight"] = torch.randn(64, inputs, 3, 3, generator=generator)
        weights[f"features.{number}.bias"] = torch.zeros(64)
    return Backbone("vgg19", weights)


def objective(extractor: Backbone, seed: int) -> Objective:
    (style_image,) = photos_of(seed, (40, 48))
    # Half as bright as the photos, so that they are no style images themselves.
    return calibrate(extractor, style_image / 2, photos_of(9, (32, 32), (32, 32)), SETTINGS)


def small_network() -> StyleNetwork:
    network = empty_network("fast", 2)
    network.initialize(torch.Generator().manual_seed(1))
    return network.eval()


def test_losses_are_the_objectives_over_those_of_untouched_photos(extractor: Backbone) -> None:
    photos = photos_of(3, (32, 44), (50, 38))
    networks = {"first": (small_network(), objective(extractor, 1))}
    networks["second"] = (networks["first"][0], objective(extractor, 2))
    found = whole_image_losses(networks, photos)
    assert found["first"].style != found["second"].style
    for name, (network, own) in networks.items():
        with torch.no_grad():
            rows = [own.terms(stylize(network, photo), own.content(photo)) for photo in photos]
            plain = [own.terms(photo, own.content(photo)) for photo in photos]
        style = sum(float(row["style"]) for row in rows) / sum(float(r["style"]) for r in plain)
        assert found[name].style == pytest.approx(style, rel=1e-5)
        content = sum(float(row["content"]) for row in rows) / 2
        assert found[name].content == pytest.approx(content, rel=1e-5)


def test_an_untouched_photo_has_style_loss_one_and_no_content_loss(extractor: Backbone) -> None:
    photos = photos_of(4, (36, 36))
    losses = whole_image_losses({"same": (Same(1), objective(extractor, 1))}, photos)["same"]
    assert losses.style == pytest.approx(1)
    assert losses.content == 0


def test_a_photos_features_are_computed_once_for_all_styles(extractor: Backbone) -> None:
    styles = {str(seed): (Same(1), objective(extractor, seed)) for seed in (1, 2, 3)}
    calls: list[object] = []
    hook = extractor.register_forward_hook(lambda *call: calls.append(call))
    whole_image_losses(styles, photos_of(5, (36, 36)))
    hook.remove()
    # Each image twice, at full and at half size: the photo and three stylized images.
    assert len(calls) == 2 * (1 + 3)


def test_no_photos_are_an_error(extractor: Backbone) -> None:
    with pytest.raises(InputError, match="no photos"):
        whole_image_losses({"same": (Same(1), objective(extractor, 1))}, [])


def style_file(folder: Path, settings: Mapping[str, Any]) -> Path:
    path = folder / "night.safetensors"
    save_style(path, StyleInfo("night", Credit(), "fast", 2, settings), small_network())
    return path


def test_a_style_is_evaluated_with_the_settings_of_its_training(tmp_path: Path) -> None:
    path = style_file(
        tmp_path, SETTINGS.model_dump(mode="json") | {"style_weight": 2.0, "crop": 96}
    )
    found = evaluation_settings(path)
    assert (found.crop, found.style_layers) == (96, ("relu1_1", "relu1_2"))
    assert found.style_weight == TrainingSettings().style_weight


def test_settings_of_other_versions_and_of_none_do_not_matter(tmp_path: Path) -> None:
    assert evaluation_settings(style_file(tmp_path, {"unknown": 0.05})) == TrainingSettings()


def test_unknown_settings_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"night\.safetensors has settings .* crop"):
        evaluation_settings(style_file(tmp_path, {"crop": 7}))


FEATURE_LAYERS = ("relu1_1", "relu1_2")


def images(count: int, seed: int) -> list[HostArray]:
    return list(np.random.default_rng(seed).random((count, 40, 48, 3), dtype=np.float32))


def planes(image: HostArray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def gauge(extractor: Backbone, style_image: HostArray) -> StyleLossRatio:
    settings = TrainingSettings(
        precision="float32",
        style_layers=FEATURE_LAYERS,
        style_scales=(1.0,),
        content_layers=("relu1_2",),
    )
    return StyleLossRatio(extractor, planes(style_image), settings)


def test_losses_are_those_of_gram_matrices_over_the_sources(extractor: Backbone) -> None:
    style_image, frame, per_frame, source = images(4, 1)
    found = gauge(extractor, style_image / 2)(frame, per_frame, source)
    with torch.no_grad():
        grams = [
            {
                feature_layer: gram_matrix(value).double()
                for feature_layer, value in extractor(planes(p), set(FEATURE_LAYERS)).items()
            }
            for p in (style_image / 2, frame, per_frame, source)
        ]
    target, *others = grams
    of_frame, of_per_frame, of_source = (
        {
            feature_layer: float((one[feature_layer] - target[feature_layer]).square().mean())
            for feature_layer in FEATURE_LAYERS
        }
        for one in others
    )
    for value, own in zip(found, (of_frame, of_per_frame), strict=True):
        expected = np.mean(
            [own[feature_layer] / of_source[feature_layer] for feature_layer in FEATURE_LAYERS]
        )
        assert value == pytest.approx(expected, rel=1e-3)


def test_the_baseline_is_measured_once_for_all_clips(extractor: Backbone) -> None:
    style_image, per_frame, source, *frames = images(6, 2)
    kept = gauge(extractor, style_image / 2)
    kept(frames[0], per_frame, source)
    calls: list[object] = []
    hook = extractor.register_forward_hook(lambda *call: calls.append(call))
    rows = [kept(frame, per_frame, source) for frame in frames]
    hook.remove()
    assert len(calls) == 3
    assert len({row[1] for row in rows}) == 1


def test_black_and_white_areas_of_the_style_image_are_allowed(extractor: Backbone) -> None:
    style_image = np.full((40, 50, 3), 0.5, np.float32)
    style_image[:10, :10] = 1
    assert gauge(extractor, style_image).blob_fraction == pytest.approx(100 / 2000)


@pytest.mark.parametrize(
    ("size", "too_small"),
    [((1, 40), True), ((48, 1), True), ((1, 1), True), ((2, 2), False), ((4000, 2), False)],
)
def test_what_is_too_small_for_the_network_is_known_beforehand(
    extractor: Backbone, size: tuple[int, int], too_small: bool
) -> None:
    settings = TrainingSettings(
        precision="float32",
        style_layers=FEATURE_LAYERS,
        style_scales=(1.0, 0.5),
        content_layers=("relu1_2",),
    )
    kept = StyleLossRatio(extractor, planes(images(1, 1)[0]), settings)
    reason = kept.too_small(*size)
    assert bool(reason) == too_small
    if reason:
        assert f"frames of {size[0]}x{size[1]} are too small" in reason
    else:
        frame = np.zeros((*size[::-1], 3), np.float32)
        assert np.isfinite(kept(frame, frame, frame)).all()


def test_frames_too_small_for_the_network_are_a_note(tmp_path: Path) -> None:
    file = tmp_path / "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(file, vgg_weights(), {})
    image = tmp_path / "style.png"
    cv2.imwrite(str(image), np.zeros((64, 64, 3), np.uint8))
    extras = find_network_metrics(style_image=image, weights=tmp_path, size=(1, 40))
    assert extras.style_loss is None
    assert "no style loss: frames of 1x40 are too small" in extras.notes[-1]


@pytest.mark.slow
def test_real_weights_see_which_clip_lost_the_style(shared_data: Path) -> None:
    image = shared_data / "paintings" / "udnie_picabia.jpg"
    extras = find_network_metrics(style_image=image, weights=shared_data / "weights")
    assert extras.style_loss is not None
    stylized = cv2.imread(str(image), cv2.IMREAD_COLOR_RGB)
    crop = np.ascontiguousarray(stylized[:160, :160]).astype(np.float32) / 255
    gray = np.full_like(crop, 0.5)
    source = images(1, 3)[0]
    lost, own = extras.style_loss(gray, crop, source)
    assert lost > 2 * own


def test_a_missing_network_is_a_note_and_a_missing_image_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "empty").mkdir()
    image = tmp_path / "style.png"
    cv2.imwrite(str(image), np.zeros((64, 64, 3), np.uint8))
    extras = find_network_metrics(style_image=image, weights=tmp_path / "empty")
    assert extras.style_loss is None
    assert "no style loss: there are no weights" in extras.notes[-1]
    with pytest.raises(InputError, match="cannot read"):
        find_network_metrics(style_image=tmp_path / "none.png", weights=tmp_path / "empty")
