"""The Gram loss beside the per-frame painting's, against the training's own losses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core import HostArray
from vidstyle.core.errors import InputError
from vidstyle.evaluation.extras import find_extras
from vidstyle.evaluation.style_kept import StyleKept
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.weights import safetensors_file
from vidstyle.training.losses import gram_matrix
from vidstyle.training.settings import Settings

FEATURE_LAYERS = ("relu1_1", "relu1_2")


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for number, inputs in ((0, 3), (2, 64)):
        weights[f"features.{number}.weight"] = torch.randn(64, inputs, 3, 3, generator=generator)
        weights[f"features.{number}.bias"] = torch.zeros(64)
    return Backbone("vgg19", weights)


def images(count: int, seed: int) -> list[HostArray]:
    return list(np.random.default_rng(seed).random((count, 40, 48, 3), dtype=np.float32))


def planes(image: HostArray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def gauge(backbone: Backbone, style_image: HostArray) -> StyleKept:
    settings = Settings(
        precision="float32",
        style_layers=FEATURE_LAYERS,
        style_scales=(1.0,),
        content_layer="relu1_2",
    )
    return StyleKept(backbone, planes(style_image), settings)


def test_losses_are_those_of_gram_matrices_over_the_sources(backbone: Backbone) -> None:
    style_image, frame, alone, source = images(4, 1)
    found = gauge(backbone, style_image / 2)(frame, alone, source)
    with torch.no_grad():
        grams = [
            {
                feature_layer: gram_matrix(value).double()
                for feature_layer, value in backbone(planes(p), set(FEATURE_LAYERS)).items()
            }
            for p in (style_image / 2, frame, alone, source)
        ]
    target, *others = grams
    of_frame, of_alone, of_source = (
        {
            feature_layer: float((one[feature_layer] - target[feature_layer]).square().mean())
            for feature_layer in FEATURE_LAYERS
        }
        for one in others
    )
    for value, own in zip(found, (of_frame, of_alone), strict=True):
        expected = np.mean(
            [own[feature_layer] / of_source[feature_layer] for feature_layer in FEATURE_LAYERS]
        )
        assert value == pytest.approx(expected, rel=1e-3)


def test_the_painting_alone_is_looked_at_once_for_all_clips(backbone: Backbone) -> None:
    style_image, alone, source, *frames = images(6, 2)
    kept = gauge(backbone, style_image / 2)
    kept(frames[0], alone, source)
    calls: list[object] = []
    hook = backbone.register_forward_hook(lambda *call: calls.append(call))
    rows = [kept(frame, alone, source) for frame in frames]
    hook.remove()
    assert len(calls) == 3
    assert len({row[1] for row in rows}) == 1


def test_black_and_white_areas_of_the_painting_are_allowed(backbone: Backbone) -> None:
    style_image = np.full((40, 50, 3), 0.5, np.float32)
    style_image[:10, :10] = 1
    assert gauge(backbone, style_image).blob_share == pytest.approx(100 / 2000)


@pytest.mark.parametrize(
    ("size", "too_small"),
    [((1, 40), True), ((48, 1), True), ((1, 1), True), ((2, 2), False), ((4000, 2), False)],
)
def test_what_is_too_small_for_the_network_is_known_beforehand(
    backbone: Backbone, size: tuple[int, int], too_small: bool
) -> None:
    settings = Settings(precision="float32", style_layers=FEATURE_LAYERS, content_layer="relu1_2")
    kept = StyleKept(backbone, planes(images(1, 1)[0]), settings)
    reason = kept.too_small(*size)
    assert bool(reason) == too_small
    if reason:
        assert f"frames of {size[0]}x{size[1]} are too small" in reason
    else:
        frame = np.zeros((*size[::-1], 3), np.float32)
        assert np.isfinite(kept(frame, frame, frame)).all()


def test_frames_too_small_for_the_network_are_a_note(backbone: Backbone, tmp_path: Path) -> None:
    weights = {key: value for key, value in backbone.state_dict().items() if key != "mean"}
    file = tmp_path / "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(file, weights, {})
    image = tmp_path / "style.png"
    cv2.imwrite(str(image), np.zeros((64, 64, 3), np.uint8))
    extras = find_extras(style_image=image, weights=tmp_path, size=(1, 40))
    assert extras.style_loss is None
    assert "style that is kept: frames of 1x40 are too small" in extras.notes[-1]


@pytest.mark.slow
def test_real_weights_see_which_clip_lost_the_style(shared_data: Path) -> None:
    image = shared_data / "paintings" / "udnie_picabia.jpg"
    extras = find_extras(style_image=image, weights=shared_data / "weights")
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
    extras = find_extras(style_image=image, weights=tmp_path / "empty")
    assert extras.style_loss is None
    assert "nothing is said of the style that is kept: there are no weights" in extras.notes[-1]
    with pytest.raises(InputError, match="cannot read"):
        find_extras(style_image=tmp_path / "none.png", weights=tmp_path / "empty")
