"""An optimization takes no more memory than it is reckoned to take, and not far less."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from vidstyle.models.loss.backbone_table import BackboneName
from vidstyle.models.optimization.options import OptimizationOptions

MEASURED = """
import re, sys
from pathlib import Path
import torch
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.backbone_network import build_network
from vidstyle.models.optimization.gatys import optimize_image
from vidstyle.models.optimization.options import DescentOptions
from vidstyle.models.optimization.task import OptimizationTask, StyleReference

torch.set_num_threads(1)
name = sys.argv[1]
weights = {
    key: torch.full(value.shape, 0.01)
    for key, value in build_network(name).state_dict().items()
    if value.ndim and not key.startswith(("classifier", "fc."))
}
backbone = Backbone(name, weights).to(memory_format=torch.channels_last)
few = DescentOptions(steps=2)
for width, height in ((64, 48), (256, 192)):
    content, style_image = (torch.rand(1, 3, height, width) for _ in range(2))
    task = OptimizationTask(content, (StyleReference(image=style_image),))
    optimize_image(backbone, task, options=few)
    # The peak that getrusage reports includes the process that this one was forked from.
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024)
"""
"""Bytes at the peak, of a small image and then of a large one."""


@pytest.fixture
def style(tmp_path: Path) -> str:
    """A style image of 1,000 pixels."""
    path = tmp_path / "style.png"
    cv2.imwrite(str(path), np.zeros((25, 40, 3), np.uint8))
    return str(path)


def needed(file: str, name: BackboneName, width: int, height: int, **more: object) -> int:
    options = OptimizationOptions.model_validate({"style": file, "backbone": name, **more})
    return options.memory(width, height, "cpu")


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="others count in other units")
@pytest.mark.parametrize("name", ["squeezenet", "vgg19", "resnet"])
def test_a_larger_image_takes_no_more_than_is_reckoned(name: BackboneName, style: str) -> None:
    command = [sys.executable, "-c", MEASURED, name]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    small, large = map(int, found.stdout.split())
    wanted = needed(style, name, 256, 192) - needed(style, name, 64, 48)
    assert wanted / 4 < large - small < wanted


@pytest.mark.parametrize("name", get_args(BackboneName))
def test_it_grows_with_images_and_style_images(name: BackboneName, style: str) -> None:
    nothing, small = needed(style, name, 0, 0), needed(style, name, 300, 200)
    assert needed(style, name, 600, 400) - nothing > 3 * (small - nothing)
    assert needed(style, name, 300, 200, style_scale=4.0) > 2 * small - nothing
    twice = {
        style: 1.0,
        str(Path(style).parent / ".." / Path(style).parent.name / "style.png"): 1.0,
    }
    assert needed(style, name, 300, 200, style=twice) == small + 15 * 1000


def test_adam_keeps_two_images_and_lbfgs_forty(style: str) -> None:
    lbfgs, adam = (needed(style, "vgg16", 300, 200, optimizer=each) for each in ("lbfgs", "adam"))
    assert lbfgs - adam == 38 * 12 * (300 + 16) * (200 + 16)


def test_memory_of_a_gpu_is_not_counted(style: str) -> None:
    options = OptimizationOptions(style=style, backbone="vgg16")
    assert options.memory(640, 360, "cuda:0") == 0
