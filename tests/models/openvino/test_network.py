"""OpenVINO against torch's own networks in float32: the same images, at any size."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from vidstyle.core import HostArray
from vidstyle.core.context import Precision
from vidstyle.models.openvino.network import OpenVinoNetwork
from vidstyle.models.openvino.runtime import has_native_bfloat16, has_vnni
from vidstyle.models.style.architectures import (
    SMALLEST_SIDE,
    ArchitectureName,
    empty_network,
)
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import Credit, StyleInfo, load_style, save_style
from vidstyle.models.style.style_weights import StyleWeights, load_style_weights
from vidstyle.models.style.styles import find_style
from vidstyle.testing.textures import make_waves

ARCHITECTURES = get_args(ArchitectureName)
SIZES = ((64, 96), (37, 51), (3, 40), (9, 7), (1, 1))
needs_bfloat16 = pytest.mark.skipif(
    not has_native_bfloat16(), reason="this processor has no bfloat16"
)

needs_vnni = pytest.mark.skipif(
    not (has_vnni() and has_native_bfloat16()), reason="this processor has no VNNI with bfloat16"
)


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory) -> dict[ArchitectureName, Path]:
    folder = tmp_path_factory.mktemp("styles")
    return {name: write_style(folder / f"{name}.safetensors", name) for name in ARCHITECTURES}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def style(request: pytest.FixtureRequest, styles: dict[ArchitectureName, Path]) -> Path:
    return styles[request.param]


def write_style(path: Path, architecture: ArchitectureName) -> Path:
    """A network not trained, none of whose weights is 0 or 1."""
    generator = torch.Generator().manual_seed(1)
    network = empty_network(architecture, 6)
    network.initialize(generator)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.shape[-1] == 1 or weight.ndim == 1:
                weight.add_(0.2 * torch.randn(weight.shape, generator=generator))
    save_style(path, StyleInfo("small", Credit(), architecture, 6), network)
    return path


def noise(height: int, width: int) -> HostArray:
    return np.random.default_rng(0).random((height, width, 3), np.float32)


def waves(height: int, width: int) -> HostArray:
    """Smooth, as photos are."""
    down, right = np.mgrid[:height, :width].astype(np.float64)
    return make_waves(0)(right, down)[0].astype(np.float32)


def by_torch(style: Path, image: HostArray) -> HostArray:
    with torch.inference_mode():
        stylized = stylize(load_style(style).module, torch.from_numpy(image).permute(2, 0, 1)[None])
    return stylized[0].permute(1, 2, 0).numpy()


@cache
def opened(style: Path, precision: Precision = "float32") -> OpenVinoNetwork:
    """One for all tests: to compile it for another size takes longer than to run it."""
    return network_of(load_style_weights(style), precision)


def network_of(weights: StyleWeights, precision: Precision, threads: int = 1) -> OpenVinoNetwork:
    return OpenVinoNetwork(
        weights.graph,
        weights.arrays,
        precision=precision,
        threads=threads,
        smallest_side=SMALLEST_SIDE,
        ranges=weights.ranges,
    )


@pytest.mark.parametrize("size", SIZES)
def test_in_float32_it_is_the_network_itself_at_any_size(
    style: Path, size: tuple[int, int]
) -> None:
    image = noise(*size)
    stylized = opened(style).run(image)
    assert stylized.dtype == np.float32
    np.testing.assert_allclose(stylized, by_torch(style, image), atol=1e-4)


@needs_bfloat16
@pytest.mark.parametrize("size", [(37, 51), (48, 64)])
def test_in_bfloat16_it_stays_within_two_of_255(style: Path, size: tuple[int, int]) -> None:
    image = noise(*size)
    difference = np.abs(opened(style, "bfloat16").run(image) - by_torch(style, image))
    assert 0 < difference.mean() < 2 / 255
    assert difference.max() < 12 / 255


@needs_bfloat16
@pytest.mark.parametrize("color", [(0, 0, 0), (1, 1, 1), (0.2, 0.7, 0.4)])
def test_in_bfloat16_a_flat_image_gets_no_pattern(
    style: Path, color: tuple[float, float, float]
) -> None:
    """Rounding that differed from pixel to pixel would become one in a normalization."""
    if style.stem == "johnson-tanh":
        pytest.skip("zeros beyond the edges give a flat image a pattern in float32, too")
    flat = np.full((48, 64, 3), color, np.float32)
    difference = opened(style, "bfloat16").run(flat) - by_torch(style, flat)
    assert np.ptp(difference, axis=(0, 1)).max() < 2 / 255


@pytest.mark.parametrize("name", ["great-wave", "mondrian", "starry-night"])
@pytest.mark.parametrize(
    "precision",
    [
        "float32",
        pytest.param("bfloat16", marks=needs_bfloat16),
        pytest.param("int8", marks=needs_vnni),
    ],
)
def test_shipped_styles_give_what_torch_gives(name: str, precision: Precision) -> None:
    image, path = waves(96, 144), find_style(name)
    difference = np.abs(opened(path, precision).run(image) - by_torch(path, image))
    mean, most = (1e-5, 1e-4) if precision == "float32" else (2 / 255, 40 / 255)
    assert difference.mean() < mean
    assert difference.max() < most


def test_the_image_may_be_a_view_of_another_and_is_not_written_to(style: Path) -> None:
    whole = noise(40, 90)
    before, view = whole.copy(), whole[:32, 10:50]
    view.flags.writeable = False
    stylized = opened(style).run(view)
    assert np.array_equal(whole, before)
    assert np.array_equal(stylized, opened(style).run(np.ascontiguousarray(view)))


def test_results_are_images_of_their_own(style: Path) -> None:
    network = opened(style)
    first = network.run(noise(32, 40))
    kept = first.copy()
    network.run(np.zeros((32, 40, 3), np.float32))
    assert np.array_equal(first, kept)


def test_sizes_may_change_and_come_back(style: Path) -> None:
    network = opened(style)
    first = network.run(noise(32, 40))
    network.run(noise(16, 60))
    assert np.array_equal(network.run(noise(32, 40)), first)


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=needs_bfloat16)])
def test_two_threads_give_the_same_image_every_time(style: Path, precision: Precision) -> None:
    weights, image = load_style_weights(style), noise(64, 96)
    networks = [network_of(weights, precision, threads=2) for _ in range(2)]
    first, *others = (network.run(image) for network in networks for _ in range(4))
    assert all(np.array_equal(first, other) for other in others)


def test_neither_torch_nor_onnx_is_imported(styles: dict[ArchitectureName, Path]) -> None:
    program = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from vidstyle.models.style.openvino_stylizer import OpenVinoStylizer\n"
        "for style in sys.argv[1:]:\n"
        "    stylizer = OpenVinoStylizer({'a': Path(style)}, precision='float32', threads=1)\n"
        "    stylizer.stylize(np.zeros((16, 16, 3), np.float32), {'a': 1.0})\n"
        "assert not {'torch', 'onnx', 'onnxscript'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program, *map(str, styles.values())], check=True)
