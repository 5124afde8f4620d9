"""An optimization takes no more memory than it is said to take, and not far less."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import get_args

import pytest

from vidstyle.models.loss.backbone_table import BackboneName
from vidstyle.models.optimization.memory import gatys_memory
from vidstyle.models.optimization.settings import DescentSettings

MEASURED = """
import re, sys
from pathlib import Path
import torch
from vidstyle.models.loss.backbone import Backbone
from vidstyle.models.loss.backbone_network import build_network
from vidstyle.models.optimization.gatys import DescentSettings, StyleReference, Task, stylize

torch.set_num_threads(1)
name = sys.argv[1]
weights = {
    key: torch.full(value.shape, 0.01)
    for key, value in build_network(name).state_dict().items()
    if value.ndim and not key.startswith(("classifier", "fc."))
}
backbone = Backbone(name, weights).to(memory_format=torch.channels_last)
few = DescentSettings(steps=2)
for width, height in ((64, 48), (256, 192)):
    content, style_image = (torch.rand(1, 3, height, width) for _ in range(2))
    stylize(backbone, Task(content, (StyleReference(image=style_image),)), settings=few)
    # The peak that getrusage reports includes the process that this one was forked from.
    status = Path("/proc/self/status").read_text()
    print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024)
"""
"""Bytes at the peak, of a small image and then of a large one."""


def said(name: BackboneName, width: int, height: int, **more: float) -> int:
    options = {"style_scale": 1.0, "style_image_pixels": 0, **more}
    return gatys_memory(
        name,
        DescentSettings(),
        width=width,
        height=height,
        **options,  # type: ignore[arg-type]  # a float and an int
    )


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="others count in other units")
@pytest.mark.parametrize("name", ["squeezenet", "vgg19", "resnet"])
def test_a_larger_image_takes_no_more_than_is_said(name: BackboneName) -> None:
    command = [sys.executable, "-c", MEASURED, name]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    small, large = map(int, found.stdout.split())
    wanted = said(name, 256, 192) - said(name, 64, 48)
    assert wanted / 4 < large - small < wanted


@pytest.mark.parametrize("name", get_args(BackboneName))
def test_it_grows_with_images_paintings_and_what_is_remembered(name: BackboneName) -> None:
    least = said(name, 300, 200)
    assert said(name, 600, 400) - said(name, 0, 0) > 3 * (least - said(name, 0, 0))
    assert said(name, 300, 200, style_scale=4.0) > 2 * least - said(name, 0, 0)
    assert said(name, 300, 200, style_image_pixels=10**7) == least + 15 * 10**7


def test_adam_remembers_two_images_and_lbfgs_forty() -> None:
    lbfgs, pixels = DescentSettings(), (300 + 16) * (200 + 16)
    adam = replace(lbfgs, optimizer="adam")
    taken = [
        gatys_memory("vgg16", settings, width=300, height=200, style_scale=1, style_image_pixels=0)
        for settings in (lbfgs, adam)
    ]
    assert taken[0] - taken[1] == 38 * 12 * pixels
