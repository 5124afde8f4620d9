"""Painting strip by strip is painting the whole image: against torch's own networks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.memory import network_memory
from vidstyle.models.openvino.network import OpenVinoNetwork, native_bfloat16
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import (
    Architecture,
    Credit,
    StyleInfo,
    load_style,
    read_style_info,
    save_style,
)
from vidstyle.models.style.style_weights import load_style_weights

TILE = 32
needs_bfloat16 = pytest.mark.skipif(not native_bfloat16(), reason="this processor has no bfloat16")


@pytest.fixture(scope="module", params=get_args(Architecture))
def style(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network not trained, none of whose weights is 0 or 1."""
    return write_style(tmp_path_factory.mktemp("styles") / "small.safetensors", request.param, 5)


def write_style(path: Path, architecture: Architecture, width: int) -> Path:
    generator = torch.Generator().manual_seed(1)
    network = empty_network(architecture, width)
    network.initialize(generator)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.shape[-1] == 1 or weight.ndim == 1:
                weight.add_(0.2 * torch.randn(weight.shape, generator=generator))
    save_style(path, StyleInfo(path.stem, Credit(), architecture, width), network)
    return path


def uneven(height: int, width: int) -> HostArray:
    """Dark and flat above, bright and rough below: no strip has the image's mean or variance."""
    rough = np.random.default_rng(0).random((height, width, 3), np.float32)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    return 0.5 * down + 0.5 * down * rough


def by_torch(style: Path, image: HostArray) -> HostArray:
    with torch.inference_mode():
        stylized = stylize(load_style(style).module, torch.from_numpy(image).permute(2, 0, 1)[None])
    return stylized[0].permute(1, 2, 0).numpy()


def opened(
    style: Path, precision: Precision = "float32", *, tile: int | None = TILE, threads: int = 1
) -> OpenVinoNetwork:
    weights = load_style_weights(style)
    return OpenVinoNetwork(weights, precision=precision, threads=threads, tile=tile)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(128, 48), (133, 70), (66, 37), (97, 3)])
def test_in_float32_it_is_the_network_itself(style: Path, size: tuple[int, int]) -> None:
    image = uneven(*size)
    stylized = opened(style).stylize(image)
    assert stylized.dtype == np.float32
    np.testing.assert_allclose(stylized, by_torch(style, image), atol=1e-4)


@pytest.mark.slow
@needs_bfloat16
def test_in_bfloat16_it_is_as_near_as_the_whole_image_is(style: Path) -> None:
    image = uneven(133, 70)
    exact = by_torch(style, image)
    strips, whole = (
        np.abs(opened(style, "bfloat16", tile=tile).stylize(image) - exact) for tile in (TILE, None)
    )
    assert 0 < strips.mean() < 1.1 * whole.mean() < 2 / 255
    assert strips.max() < 1.5 * whole.max()


@pytest.mark.slow
@needs_bfloat16
def test_in_bfloat16_a_flat_image_gets_no_seam(style: Path) -> None:
    flat = np.full((130, 40, 3), (0.2, 0.7, 0.4), np.float32)
    difference = opened(style, "bfloat16").stylize(flat) - by_torch(style, flat)
    assert np.ptp(difference, axis=(0, 1)).max() < 2 / 255


@pytest.mark.slow
def test_images_may_be_read_only_and_differ_in_size_and_results_stay(style: Path) -> None:
    network, image = opened(style, threads=2), uneven(90, 40)
    before = image.copy()
    image.flags.writeable = False
    first = network.stylize(image)
    kept = first.copy()
    network.stylize(uneven(70, 44))
    again = network.stylize(image)
    assert np.array_equal(image, before)
    assert np.array_equal(first, kept)
    assert np.array_equal(again, kept)


def test_an_image_no_larger_than_the_tile_is_painted_whole(style: Path) -> None:
    image = uneven(60, 52)
    tiled, whole = (opened(style, tile=tile).stylize(image) for tile in (64, None))
    assert np.array_equal(tiled, whole)


_PEAK = """
import re, sys, numpy as np; from pathlib import Path
from vidstyle.models.openvino.network import OpenVinoNetwork
from vidstyle.models.style.style_weights import load_style_weights
from vidstyle.runner.execution.heap import keep_heap
keep_heap()
weights = load_style_weights(Path(sys.argv[1]))
def peak(*size):
    network = OpenVinoNetwork(weights, precision="float32", threads=1, tile=256)
    for _ in range(2):
        network.paint(np.ones((*size, 3), np.float32))
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10
print(-peak(64, 64) + peak(720, 1280))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says what is taken")
def test_it_takes_no_more_than_it_says_from_image_to_image(tmp_path: Path) -> None:
    path = write_style(tmp_path / "wide.safetensors", "johnson", 32)
    command = [sys.executable, "-c", _PEAK, str(path)]
    taken = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    said, whole = (
        network_memory(
            read_style_info(path),
            backend="openvino",
            precision="float32",
            size=(720, 1280),
            tile=tile,
        )
        for tile in (256, None)
    )
    assert said / 2 < taken < said < 0.7 * whole
