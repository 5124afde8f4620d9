"""Stylizing by a network: its own answer at any size, by strength, within a mask, in a mix."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from vidstyle.core import Clip, ExecutionContext, Frame, Window
from vidstyle.core.errors import PipelineError, WeightsError
from vidstyle.imaging.strokes import find_scale, with_strokes
from vidstyle.models.style.architectures import ARCHITECTURES, ArchitectureName, empty_network
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import (
    Credit,
    StyleInfo,
    load_style,
    save_style,
)
from vidstyle.stages.stylize.feedforward import STAGE, FeedForward, FeedForwardOptions
from vidstyle.testing import checks_for

WIDTH = 4
BACKENDS = ("openvino", "torch")
CLIP = Clip(64, 64, Fraction(1, 25))


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network, not trained: what is tested is how it is used."""
    return write_style(tmp_path_factory.mktemp("styles") / "small.safetensors", 3)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another style of the same form."""
    return write_style(tmp_path_factory.mktemp("styles") / "other.safetensors", 4)


def write_style(
    path: Path, seed: int, architecture: ArchitectureName = "johnson", width: int = WIDTH
) -> Path:
    network = random_network(seed, architecture, width)
    save_style(path, StyleInfo(path.stem, Credit(), architecture, width), network)
    return path


def random_network(
    seed: int, architecture: ArchitectureName = "johnson", width: int = WIDTH
) -> StyleNetwork:
    network = empty_network(architecture, width)
    network.initialize(torch.Generator().manual_seed(seed))
    return network


def make_image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, 3), np.float32)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def stylized(
    style: Path | dict[str, float],
    image: np.ndarray,
    *,
    backend: str = "openvino",
    precision: str = "float32",
    strength: float = 1.0,
    mask: np.ndarray | None = None,
    stroke_size: float | str = 1.0,
) -> torch.Tensor:
    """(3, H, W), whatever the stage's home is. ``mask`` is (H, W)."""
    options: dict[str, Any] = {"backend": backend, "precision": precision, "strength": strength}
    options["stroke_size"] = stroke_size
    options["style"] = style if isinstance(style, dict) else str(style)
    given = {"image": image}
    if mask is not None:
        options["mask"], given["region"] = "region", mask
    stage = FeedForward(FeedForwardOptions(**options))
    clip = Clip(image.shape[1], image.shape[0], Fraction(1, 25))
    stage.open(stage.describe(clip), ExecutionContext())
    on_device = stage.needs.home == "device"
    layers = {name: as_tensor(value) if on_device else value for name, value in given.items()}
    written, state = stage.step(Window(Frame(0, 0, 1, layers), stage.options), None)
    stage.close()
    assert state is None
    assert set(written) == {"image"}
    result = written["image"]
    return as_tensor(result) if isinstance(result, np.ndarray) else result


def as_tensor(layer: np.ndarray) -> torch.Tensor:
    """(H, W, C) or (H, W) to (C, H, W) or (1, H, W)."""
    tensor = torch.tensor(layer)
    return tensor.permute(2, 0, 1) if tensor.ndim == 3 else tensor[None]


@pytest.mark.parametrize("size", [(64, 96), (37, 51), (16, 16)])
def test_it_is_the_network_itself_at_any_size(
    style: Path, size: tuple[int, int], backend: str
) -> None:
    image = make_image(*size)
    network = random_network(3)
    network.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    with torch.no_grad():
        wanted = stylize(network.eval(), torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    got = stylized(style, image, backend=backend)
    torch.testing.assert_close(got, wanted, atol=2e-5, rtol=0)
    assert wanted.shape == (3, *size)


@pytest.mark.parametrize("size", [(1, 9), (3, 2), (1, 1)])
def test_the_smallest_images_are_stylized_too(
    style: Path, size: tuple[int, int], backend: str
) -> None:
    assert stylized(style, make_image(*size), backend=backend).shape == (3, *size)


def test_the_result_lies_within_the_range_of_images(style: Path, backend: str) -> None:
    result = stylized(style, make_image(48, 48) * 3 - 1, backend=backend)
    assert float(result.min()) >= 0
    assert float(result.max()) <= 1


def test_an_unknown_style_is_known_before_anything_is_loaded() -> None:
    stage = FeedForward(FeedForwardOptions(style="no-such-style"))
    with pytest.raises(WeightsError, match="no-such-style"):
        stage.describe(Clip(64, 64, Fraction(1, 25)))


@pytest.mark.parametrize("stroke_size", [0.5, 2, 3.0])
def test_another_stroke_size_is_the_network_at_another_size(
    style: Path, backend: str, stroke_size: float
) -> None:
    image = cv2.GaussianBlur(make_image(96, 144), (0, 0), 3)
    found = stylized(style, image, backend=backend, stroke_size=stroke_size)
    scale = find_scale(stroke_size, 96, 144)
    assert scale is not None
    assert found.shape == (3, 96, 144)
    wanted = with_strokes(image, scale, lambda small: as_array(stylized(style, small)))
    torch.testing.assert_close(found, as_tensor(wanted), atol=2e-3, rtol=0)
    assert (found - stylized(style, image, backend=backend)).abs().mean() > 0.01


def test_strokes_of_auto_grow_with_the_image(style: Path, backend: str) -> None:
    image = cv2.GaussianBlur(make_image(360, 1280), (0, 0), 9)
    assert torch.equal(
        stylized(style, image, backend=backend, stroke_size="auto"),
        stylized(style, image, backend=backend, stroke_size=2**0.5),
    )


def test_larger_strokes_stay_within_the_mask(style: Path, backend: str) -> None:
    image, mask = make_image(64, 64), np.zeros((64, 64), np.float32)
    mask[:, 32:] = 1
    found = stylized(style, image, backend=backend, stroke_size=2, mask=mask)
    assert torch.equal(found[..., :32], as_tensor(image)[..., :32])
    everywhere = stylized(style, image, backend=backend, stroke_size=2)
    assert torch.equal(found[..., 32:], everywhere[..., 32:])


def test_larger_strokes_need_less_memory() -> None:
    clip = Clip(1920, 1080, Fraction(1, 25))
    full, large = (
        FeedForward(FeedForwardOptions(style="great-wave", stroke_size=size)).memory(
            clip, ExecutionContext()
        )
        for size in (1.0, "auto")
    )
    assert large < 0.6 * full


def as_array(planes: torch.Tensor) -> np.ndarray:
    return planes.permute(1, 2, 0).contiguous().numpy()


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.9])
def test_strength_mixes_the_image_and_the_stylized_one(
    style: Path, strength: float, backend: str
) -> None:
    image = make_image(32, 40)
    whole = stylized(style, image, backend=backend).double()
    source = as_tensor(image).double()
    wanted = source + strength * (whole - source)
    got = stylized(style, image, backend=backend, strength=strength)
    torch.testing.assert_close(got.double(), wanted, atol=1e-6, rtol=0)


def test_at_strength_0_the_image_passes_without_being_stylized(
    style: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    def refuse(*_: object) -> torch.Tensor:
        raise AssertionError("stylized")

    monkeypatch.setattr("vidstyle.models.style.torch_stylizer.stylize", refuse)
    monkeypatch.setattr("vidstyle.models.openvino.network.OpenVinoNetwork.run", refuse)
    image = make_image(32, 40) * 3 - 1
    assert torch.equal(stylized(style, image, backend=backend, strength=0), as_tensor(image))
    with pytest.raises(AssertionError, match="stylized"):
        stylized(style, image, backend=backend, strength=0.01)


def test_a_mask_multiplies_strength_pixel_by_pixel(style: Path, backend: str) -> None:
    image, mask = make_image(32, 40), np.random.default_rng(2).random((32, 40), np.float32)
    mask[:, :10], mask[:, 30:] = 0, 1
    whole, source = stylized(style, image, backend=backend), as_tensor(image)
    got = stylized(style, image, backend=backend, mask=mask)
    assert torch.equal(got[:, :, :10], source[:, :, :10])
    assert torch.equal(got[:, :, 30:], whole[:, :, 30:])
    half = stylized(style, image, backend=backend, strength=0.5, mask=mask)
    weight = 0.5 * torch.from_numpy(mask).double()
    wanted = source.double() + weight * (whole - source).double()
    torch.testing.assert_close(half.double(), wanted, atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", [(32, 40, 3), (16, 20), (1, 1)])
def test_a_mask_of_another_form_is_refused(
    style: Path, shape: tuple[int, ...], backend: str
) -> None:
    with pytest.raises(ValueError, match=r"the mask region must be one value a pixel"):
        stylized(style, make_image(32, 40), backend=backend, mask=np.ones(shape, np.float32))


def test_without_a_mask_no_other_layer_is_read(style: Path) -> None:
    plain = FeedForward(FeedForwardOptions(style=str(style)))
    masked = FeedForward(FeedForwardOptions(style=str(style), mask="visible"))
    assert set(plain.needs.reads) == {"image"}
    assert set(masked.needs.reads) == {"image", "visible"}


def test_a_mix_of_two_styles_stylizes_with_averaged_weights(
    style: Path, other: Path, backend: str
) -> None:
    image = make_image(37, 51)
    first, second = (load_style(path).module.state_dict() for path in (style, other))
    network = random_network(0)
    network.load_state_dict({k: 0.75 * first[k] + 0.25 * second[k] for k in first})
    with torch.no_grad():
        wanted = stylize(network.eval(), as_tensor(image)[None])[0]
    got = stylized({str(style): 3, str(other): 1}, image, backend=backend)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0)
    whole = stylized({str(style): 2, str(other): 0}, image, backend=backend)
    assert torch.equal(whole, stylized(style, image, backend=backend))


@pytest.mark.parametrize(("architecture", "width"), [("fast", WIDTH), ("johnson", WIDTH + 1)])
def test_styles_that_cannot_be_mixed_are_known_before_anything_is_loaded(
    style: Path, tmp_path: Path, architecture: ArchitectureName, width: int
) -> None:
    odd = write_style(tmp_path / "odd.safetensors", 1, architecture, width)
    stage = FeedForward(FeedForwardOptions(style={str(style): 1, str(odd): 1}))
    with pytest.raises(WeightsError, match=rf"small.*johnson with 4 .*odd.*{architecture} with"):
        stage.describe(Clip(64, 64, Fraction(1, 25)))


def stage(**options: Any) -> FeedForward:
    return FeedForward(FeedForwardOptions(**{"style": "great-wave", **options}))


def test_what_is_resolved_stays_as_it_is() -> None:
    resolved = stage().resolve(CLIP, ExecutionContext(device="cpu"))
    assert resolved.backend == "openvino"
    assert resolved.precision in ("float32", "bfloat16", "int8")
    assert FeedForward(resolved).resolve(CLIP, ExecutionContext(device="cpu")) == resolved
    on_gpu = stage().resolve(CLIP, ExecutionContext(device="cuda:0"))
    assert (on_gpu.backend, on_gpu.precision) == ("torch", "float16")


def test_a_style_with_ranges_is_computed_in_8_bits_and_a_mix_is_not(
    style: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for has in ("has_vnni", "has_native_bfloat16"):
        monkeypatch.setattr(f"vidstyle.models.openvino.runtime.{has}", lambda: True)
    ranged = tmp_path / "ranged.safetensors"
    info = StyleInfo("ranged", Credit(), "johnson", WIDTH, int8_error=0.003)
    save_style(ranged, info, random_network(3))
    context = ExecutionContext(device="cpu")
    precisions = [
        stage(style=chosen).resolve(CLIP, context).precision
        for chosen in (str(ranged), str(style), {str(ranged): 0.5, str(style): 0.5})
    ]
    assert precisions == ["int8", "bfloat16", "bfloat16"]
    mixed = stage(style={str(ranged): 0.5, str(style): 0.5}, precision="int8")
    with pytest.raises(PipelineError, match="and not for mixes"):
        mixed.resolve(CLIP, context)


@pytest.mark.parametrize(
    ("options", "device", "says"),
    [
        ({"backend": "openvino"}, "cuda:0", "backend openvino runs on processors"),
        ({"precision": "float16"}, "cpu", "precision float16 is for GPUs"),
    ],
)
def test_what_a_device_cannot_is_refused_when_the_plan_is_made(
    options: dict[str, str], device: str, says: str
) -> None:
    with pytest.raises(PipelineError, match=says):
        stage(**options).resolve(CLIP, ExecutionContext(device=device))


def test_its_layers_live_where_it_computes() -> None:
    # Until it is resolved there may be a GPU to look for.
    assert stage().needs.home == "device"
    assert FeedForward(stage().resolve(CLIP, ExecutionContext(device="cpu"))).needs.home == "host"
    assert (
        FeedForward(stage().resolve(CLIP, ExecutionContext(device="cuda:0"))).needs.home == "device"
    )
    assert stage(backend="torch").needs.home == "device"


def grown(style: Path, backend: str, size: tuple[int, int]) -> int:
    """Bytes that a process takes for stylizing, beyond those that it has for tiny images."""
    program = (
        "import re, sys, numpy as np; from fractions import Fraction\n"
        "from vidstyle.core import Clip, Frame, ExecutionContext, Window\n"
        "from vidstyle.stages.stylize.feedforward import FeedForward, FeedForwardOptions\n"
        "path, backend, *size = sys.argv[1:]\n"
        "if backend == 'torch': import torch\n"
        "stage = FeedForward(FeedForwardOptions(style=path, backend=backend))\n"
        "def run(width, height):\n"
        "    stage.open(Clip(width, height, Fraction(1, 25)), ExecutionContext())\n"
        "    image = np.ones((height, width, 3), np.float32)\n"
        "    on_device = backend == 'torch'\n"
        "    layer = torch.from_numpy(image).permute(2, 0, 1) if on_device else image\n"
        "    stage.step(Window(Frame(0, 0, 1, {'image': layer}), stage.options), None)\n"
        "    status = open('/proc/self/status').read()\n"
        "    return int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) << 10\n"
        "print(-run(16, 16) + run(*map(int, size)))\n"
    )
    command = [sys.executable, "-c", program, str(style), backend, *map(str, size)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux says what is taken")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_it_takes_the_memory_that_it_states(
    tmp_path: Path, architecture: ArchitectureName, backend: str
) -> None:
    path, size = write_style(tmp_path / "wide.safetensors", 1, architecture, 16), (1280, 720)
    clip = Clip(*size, Fraction(1, 25))
    stated = stage(style=str(path), backend=backend).memory(clip, ExecutionContext())
    taken = grown(path, backend, size)
    assert stated / 3 < taken < stated


def test_in_bfloat16_torch_stays_near_too(style: Path) -> None:
    image = make_image(48, 64)
    exact = stylized(style, image, backend="torch")
    lower = stylized(style, image, backend="torch", precision="bfloat16")
    assert lower.dtype == torch.float32
    assert 0 < (lower - exact).abs().mean() < 3 / 255


@pytest.mark.slow
def test_compiled_it_gives_the_same(style: Path, other: Path) -> None:
    image, mix = make_image(32, 40), {str(style): 0.5, str(other): 0.5}
    for written in (style, mix):
        wanted = stylized(written, image, backend="torch")
        got = stylized(written, image, backend="compile")
        torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0)


def test_on_a_processor_torch_is_not_imported(style: Path) -> None:
    program = (
        "import sys, numpy as np; from fractions import Fraction\n"
        "from vidstyle.core import Clip, Frame, ExecutionContext, Window\n"
        "from vidstyle.stages.stylize.feedforward import FeedForward, FeedForwardOptions\n"
        "stage = FeedForward(FeedForwardOptions(style=sys.argv[1]))\n"
        "clip = stage.describe(Clip(32, 24, Fraction(1, 25)))\n"
        "stage.resolve(clip, ExecutionContext())\n"
        "stage.open(clip, ExecutionContext())\n"
        "frame = Frame(0, 0, 1, {'image': np.zeros((24, 32, 3), np.float32)})\n"
        "stage.step(Window(frame, stage.options), None)\n"
        "assert not {'torch', 'torchvision'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(style)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("options", [{}, {"strength": 0.5, "mask": "region"}])
def test_the_check_suite_accepts_it(
    style: Path, other: Path, mixed: bool, options: dict[str, object], backend: str
) -> None:
    written = {str(style): 1, str(other): 2} if mixed else str(style)
    for name, check in checks_for(STAGE, style=written, backend=backend, **options):
        try:
            check()
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error


@pytest.mark.parametrize("mask", [None, "region"])
@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_batch_gives_what_single_steps_give(
    style: Path, other: Path, backend: str, alike: bool, mask: str | None
) -> None:
    both: dict[str, Any] = {"backend": backend, "precision": "float32", "mask": mask}
    options = [
        FeedForwardOptions(
            style={str(style): first, str(other): 1 - first}, strength=strength, **both
        )
        for first, strength in (
            (0.5, 1.0),
            (0.5 if alike else 0.25, 0.3),
            (0.5, 0.5 if alike else 0.0),
        )
    ]
    stage = FeedForward(options[0])
    stage.open(stage.describe(CLIP), ExecutionContext(batch=3))
    rng = np.random.default_rng(0)
    windows = []
    for index, here in enumerate(options):
        given = {"image": rng.random((40, 56, 3), np.float32)}
        if mask:
            given["region"] = rng.random((40, 56), np.float32)
        on_device = stage.needs.home == "device"
        layers = {name: as_tensor(v) if on_device else v for name, v in given.items()}
        windows.append(Window(Frame(index, index, 1, layers), here))
    single = [stage.step(window, None)[0]["image"] for window in windows]
    many = [layers["image"] for layers in stage.step_many(windows)]
    for one, batched in zip(single, many, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(batched), atol=2e-6)
    stage.close()
