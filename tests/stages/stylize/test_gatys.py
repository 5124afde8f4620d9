"""Stylization by optimization as a stage: the contract, the warped start, masks and cuts."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.models.gatys_world import vgg_weights, waves
from vidstyle.core import Clip, ExecutionContext, Frame, Span, State, Window
from vidstyle.core.errors import InputError, PipelineError, WeightsError
from vidstyle.models.weights import safetensors_file
from vidstyle.stages.stylize.gatys import Gatys
from vidstyle.stages.stylize.gatys_multipass import GatysMultipass
from vidstyle.stages.stylize.gatys_options import GatysOptions
from vidstyle.testing import Scene, Subject, Surface, checks_of, failed, render_scenes, results
from vidstyle.testing.scene import moves
from vidstyle.testing.textures import make_waves

CLIP = Clip(64, 48, time_base=Fraction(1))
FEW = {"steps": 3, "steps_following": 2}
CHEAP = {"style_layers": ["relu1_1"], "content_layers": ["relu1_1"], "steps": 1}
pytestmark = pytest.mark.usefixtures("one_thread")
FEW_PASSES = {"steps_per_pass": 1, "passes": 2, "span": 3}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """A style image and the weights of two blocks of VGG19, which were never trained."""
    folder = tmp_path_factory.mktemp("world")
    safetensors_file.write(
        folder / "vgg19.safetensors", vgg_weights(), {"input": "torchvision-rgb"}
    )
    style_image = (255 * waves(40, 56, period=6, color=2)[0].permute(1, 2, 0)).byte().numpy()
    cv2.imwrite(str(folder / "waves.png"), style_image)
    return {
        "style": str(folder / "waves.png"),
        "backbone": "vgg19",
        "weights": str(folder / "vgg19.safetensors"),
        "style_layers": ["relu1_1", "relu2_1"],
    }


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"colors": "content-luminance", "start": "content"}])
def test_gatys_keeps_the_contract(given: dict[str, object], more: dict[str, object]) -> None:
    subject = Subject(Gatys, {**given, **CHEAP, "steps_following": 1, **more})
    assert failed(results(checks_of(subject))) == {}


@pytest.mark.slow
def test_multipass_keeps_the_contract(given: dict[str, object]) -> None:
    subject = Subject(GatysMultipass, {**given, **CHEAP, **FEW_PASSES})
    assert failed(results(checks_of(subject))) == {}


def panned(count: int) -> list[Frame]:
    """An image that moves by 2 pixels a frame, with its true flow both ways, on the device."""
    scene = Scene((Surface(make_waves(3), moves([(2.0 * t, 0.0) for t in range(count)])),), 64, 48)
    frames = []
    for time, frame in enumerate(render_scenes([scene]).with_truth()):
        ahead, seen = scene.motion(max(time - 1, 0), time)
        layers = {
            **frame.layers,
            "image": frame.host("source"),
            "flow_from_previous": ahead,
            "visible_from_previous": seen,
        }
        frames.append(replace(frame, layers={n: on_device(a) for n, a in layers.items()}))
    return frames


def on_device(layer: object) -> torch.Tensor:
    array = np.array(layer, np.float32)
    return torch.from_numpy(array[..., None] if array.ndim == 2 else array).permute(2, 0, 1)


def opened(given: dict[str, object], **more: object) -> Gatys:
    stage = Gatys(GatysOptions.model_validate({**given, **more}))
    stage.describe(CLIP)
    stage.open(CLIP, ExecutionContext())
    return stage


def stylized(stage: Gatys, frames: list[Frame]) -> list[torch.Tensor]:
    images, state = [], None
    for frame in frames:
        layers, state = stage.step(Window(frame, stage.options), state)
        images.append(torch.as_tensor(layers["image"]))
    return images


def flicker_of(images: list[torch.Tensor]) -> float:
    """Mean squared difference to the image before, moved by its 2 pixels."""
    pairs = pairwise(images)
    return float(np.mean([(b[..., 2:] - a[..., :-2]).square().mean() for a, b in pairs]))


@pytest.mark.slow
def test_a_moving_image_is_stylized_consistently(given: dict[str, object]) -> None:
    frames = panned(4)
    single = stylized(opened(given, steps=40, start="noise"), [drop_flow(f) for f in frames])
    together = stylized(opened(given, steps=40, steps_following=15), frames)
    assert flicker_of(together) < 0.1 * flicker_of(single)


def drop_flow(frame: Frame) -> Frame:
    return replace(frame, layers={"image": frame.tensor("image")})


def test_without_flow_a_frame_depends_on_itself_alone(given: dict[str, object]) -> None:
    frames = [drop_flow(frame) for frame in panned(2)]
    stage = opened(given, **FEW)
    assert torch.equal(stylized(stage, frames)[1], stylized(stage, frames[1:])[0])


def test_strength_0_passes_and_1_is_the_stylized_image(given: dict[str, object]) -> None:
    (frame,) = panned(1)
    (nothing,) = stylized(opened(given, **FEW, strength=0), [frame])
    assert torch.equal(nothing, frame.tensor("image"))
    (all_of_it,) = stylized(opened(given, **FEW), [frame])
    (half,) = stylized(opened(given, **FEW, strength=0.5), [frame])
    torch.testing.assert_close(half, frame.tensor("image").lerp(all_of_it, 0.5))
    assert (all_of_it - nothing).abs().mean() > 0.01


def test_only_the_mask_is_stylized(given: dict[str, object]) -> None:
    (frame,) = panned(1)
    mask = torch.zeros(1, 48, 64)
    mask[..., :30] = 1
    masked = replace(frame, layers={**frame.layers, "face": mask})
    stage = opened(given, **FEW, mask="face")
    assert "face" in stage.needs.reads
    (image,) = stylized(stage, [masked])
    assert torch.equal(image[..., 30:], frame.tensor("image")[..., 30:])
    assert not torch.equal(image[..., :30], frame.tensor("image")[..., :30])
    wrong = replace(frame, layers={**frame.layers, "face": mask[:, :5]})
    with pytest.raises(ValueError, match=r"the mask face must be one value a pixel"):
        stylized(stage, [wrong])


def test_larger_strokes_are_optimized_at_a_smaller_size(given: dict[str, object]) -> None:
    frames = panned(3)
    stage, sizes = opened(given, **FEW, stroke_size=2), []
    found, state = [], None
    for frame in frames:
        layers, state = stage.step(Window(frame, stage.options), state)
        found.append(torch.as_tensor(layers["image"]))
        sizes.append(tuple(state["stylized"].shape))
    assert sizes == [(3, 32, 43)] * 3
    assert {tuple(image.shape) for image in found} == {(3, 48, 64)}
    assert (found[2] - stylized(opened(given, **FEW), frames)[2]).abs().mean() > 0.01


def test_larger_strokes_stay_within_the_mask(given: dict[str, object]) -> None:
    (frame,) = panned(1)
    mask = torch.zeros(1, 48, 64)
    mask[..., :30] = 1
    masked = replace(frame, layers={**frame.layers, "face": mask})
    (image,) = stylized(opened(given, **FEW, mask="face", stroke_size=1.5), [masked])
    assert torch.equal(image[..., 30:], frame.tensor("image")[..., 30:])
    assert not torch.equal(image[..., :30], frame.tensor("image")[..., :30])


@pytest.mark.slow
def test_passes_are_more_consistent_than_single_frames(given: dict[str, object]) -> None:
    frames = panned(4)

    def passed(passes: int, state: State = None) -> tuple[list[torch.Tensor], State]:
        options = GatysMultipass.Options.model_validate(
            {**given, "steps": 30, "steps_per_pass": 10, "passes": passes}
        )
        stage = GatysMultipass(options)
        stage.open(CLIP, ExecutionContext())
        steps = stage.step_span(Span(tuple(frames), [options] * len(frames)), state)
        images: list[torch.Tensor] = []
        while True:
            try:
                images.append(torch.as_tensor(next(steps)["image"]))
            except StopIteration as end:
                return images, end.value

    once, _ = passed(1)
    more, after = passed(4)
    assert flicker_of(more) < flicker_of(once)
    # The next span begins where this one ended.
    following, _ = passed(1, after)
    assert after is not None
    assert not torch.equal(following[0], once[0])


def test_what_is_missing_is_an_error_before_the_first_frame(
    given: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"none\.jpg is not there.*`--style FILE`"):
        opened({**given, "style": str(tmp_path / "none.jpg")})
    with pytest.raises(WeightsError, match=r"none\.pth is not there: name the weights of vgg19"):
        opened({**given, "weights": str(tmp_path / "none.pth")})
    (tmp_path / "text.jpg").write_text("no image")
    with pytest.raises(InputError, match=r"text\.jpg is not an image that can be read"):
        opened({**given, "style": str(tmp_path / "text.jpg")})
    with pytest.raises(PipelineError, match="vgg19 has no layer relu4_1; there are relu1_1"):
        stylized(opened({**given, "style_layers": ["relu4_1"]}), panned(1))
    with pytest.raises(ValidationError, match="steps"):
        GatysOptions.model_validate({**given, "steps": 10_001})


def test_layers_that_all_count_nothing_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="all weights are 0; give a layer more"):
        GatysOptions.model_validate({**given, "style_layers": {"relu1_1": 0, "relu2_1": 0}})
    one = GatysOptions.model_validate({**given, "style_layers": {"relu1_1": 0, "relu2_1": 2}})
    assert one.layer_weights == {"relu1_1": 0, "relu2_1": 2}


def test_memory_is_counted_for_a_processor_alone(given: dict[str, object]) -> None:
    small, large = CLIP, replace(CLIP, width=640, height=360)
    for stage in (
        Gatys(GatysOptions.model_validate(given)),
        GatysMultipass(GatysMultipass.Options.model_validate(given)),
    ):
        assert (
            2**28
            < stage.memory(small, ExecutionContext())
            < stage.memory(large, ExecutionContext()) - 2**28
        )
        assert stage.memory(large, ExecutionContext(device="cuda:0")) == 0


def test_auto_is_resolved_by_what_the_processor_has(given: dict[str, object]) -> None:
    from vidstyle.models.openvino.runtime import has_native_bfloat16

    stage = Gatys(GatysOptions.model_validate(given))
    wanted = "bfloat16" if has_native_bfloat16() else "float32"
    assert stage.resolve(CLIP, ExecutionContext()).precision == wanted
    assert stage.resolve(CLIP, ExecutionContext(device="cuda:0")).precision == "float32"
    exact = Gatys(GatysOptions.model_validate({**given, "precision": "float32"}))
    assert exact.resolve(CLIP, ExecutionContext()) == exact.options


def test_a_mix_of_style_images_has_their_weights(given: dict[str, object]) -> None:
    options = GatysOptions.model_validate({**given, "style": {"a.jpg": 3, "b.jpg": 1, "c.jpg": 0}})
    assert options.style_images == {Path("a.jpg"): 0.75, Path("b.jpg"): 0.25}


def test_a_plan_needs_no_torch() -> None:
    code = (
        "import sys; from vidstyle.stages.stylize.gatys import Gatys;"
        "from vidstyle.stages.stylize.gatys_multipass import GatysMultipass;"
        "assert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
