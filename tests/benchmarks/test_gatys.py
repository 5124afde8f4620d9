"""The loop that steps are timed against is the same optimization; so are the numbers of a clip."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from tests.models.gatys_world import small_backbone, vgg_weights, waves
from vidstyle.models.loss.loss_options import LossOptions
from vidstyle.models.optimization.image_loss import ImageLoss
from vidstyle.models.optimization.task import OptimizationTask, StyleReference
from vidstyle.models.weights import safetensors_file

Load = Callable[[str], ModuleType]


@pytest.mark.slow
def test_the_bare_loop_has_the_same_losses(benchmark: Load) -> None:
    gatys = benchmark("gatys")
    backbone, content, style_image = (
        small_backbone(),
        waves(48, 64),
        waves(40, 56, period=5, color=2),
    )
    task = OptimizationTask(content, (StyleReference(image=style_image),))
    objective = ImageLoss(backbone, content, task.references, LossOptions())
    bare = gatys.bare_loop(backbone, content, style_image, "adam")
    ours = gatys.stepper(backbone, task, "adam", "float32")
    assert bare() == pytest.approx(objective.evaluate(content).loss, rel=1e-5)
    # Theirs is the loss before its step, ours that after it.
    assert bare() == pytest.approx(ours(), rel=1e-4)


@pytest.mark.slow
def test_a_clip_gives_its_numbers(
    benchmark: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    name = "vgg19_conv1_1-conv3_4_caffe_bgr.safetensors"
    safetensors_file.write(weights / name, vgg_weights(), {})
    clip = tmp_path / "clip"
    clip.mkdir()
    image = (255 * waves(64, 80)[0].permute(1, 2, 0)).byte().numpy()
    for number in range(3):
        cv2.imwrite(str(clip / f"{number}.png"), np.roll(image, number, axis=1))
    cv2.imwrite(str(tmp_path / "waves.png"), image[::-1])
    words = ["--weights", str(weights), "--backbones", "vgg19", "clip", "--clip", str(clip)]
    more = ["--style-image", str(tmp_path / "waves.png"), "--size", "64", "--steps", "4"]
    benchmark("gatys").main([*words, *more])
    output = capsys.readouterr().out
    assert "E_warp per frame  " in output
    assert "steps to the same loss" in output
