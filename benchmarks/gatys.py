"""What optimization costs, how soon it is there, and what the frame before is worth.

    python benchmarks/gatys.py speed --weights DIR --photo FILE --style-image FILE [--size 500]
    python benchmarks/gatys.py steps --weights DIR --photos FILE ... --style-images FILE ...
    python benchmarks/gatys.py clip --weights DIR --clip FILE --style-image FILE [--frames 24]

``speed`` runs steps of vidstyle in turn with those of a loop that is written with plain torch, of
the same network, losses and optimizer, and gives processor seconds on one thread. ``steps`` says
which part of the fall of 500 steps of L-BFGS the first 100 reach. ``clip`` stylizes a clip from
each frame by itself and from the one before: steps to the same loss, and warping errors.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from vidstyle.core import ExecutionContext, HostArray
from vidstyle.evaluation.evaluators import choose_evaluator
from vidstyle.evaluation.warping_error import warping_errors
from vidstyle.imaging.flow_pair import both_ways, pair_layers
from vidstyle.models.loss.backbone import Backbone, load_backbone
from vidstyle.models.loss.backbone_table import BACKBONES, BackboneName
from vidstyle.models.loss.image_losses import warp
from vidstyle.models.loss.loss_options import LossOptions, Precision
from vidstyle.models.loss.loss_terms import Past
from vidstyle.models.optimization.descent import Adam, Descent, Lbfgs
from vidstyle.models.optimization.gatys import OptimizationStep, optimize_image
from vidstyle.models.optimization.image_loss import ImageLoss
from vidstyle.models.optimization.options import DescentOptions
from vidstyle.models.optimization.style_image_file import read_style_image
from vidstyle.models.optimization.task import OptimizationTask, StyleReference
from vidstyle.stages.decode.images import DecodeImages, ImagesOptions
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV
from vidstyle.stages.flow.dis import DisOptions, dense_search, search_flow

Step = Callable[[], float]
"""One step of an optimizer; the loss after it."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--weights", type=Path, help="a folder; else where they lie")
    parser.add_argument("--backbones", default="squeezenet,vgg19")
    commands = parser.add_subparsers(required=True)
    speed = commands.add_parser("speed")
    speed.add_argument("--photo", type=Path, required=True)
    speed.add_argument("--style-image", type=Path, required=True)
    speed.add_argument("--size", type=int, default=500)
    speed.add_argument("--rounds", type=int, default=5)
    speed.add_argument("--compile", action="store_true", help="also with torch.compile")
    speed.set_defaults(run=measure_speed)
    steps = commands.add_parser("steps")
    steps.add_argument("--photos", type=Path, nargs="+", required=True)
    steps.add_argument("--style-images", type=Path, nargs="+", required=True)
    steps.add_argument("--size", type=int, default=160)
    steps.set_defaults(run=measure_steps)
    clip = commands.add_parser("clip")
    clip.add_argument("--clip", type=Path, required=True)
    clip.add_argument("--style-image", type=Path, required=True)
    clip.add_argument("--size", type=int, default=160)
    clip.add_argument("--frames", type=int, default=24)
    clip.add_argument("--steps", type=int, default=80)
    clip.add_argument("--images", type=Path, help="a folder for the stylized frames")
    clip.set_defaults(run=measure_clip)
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    for name in given.backbones.split(","):
        given.run(given, loaded(name, given.weights))


def loaded(name: BackboneName, folder: Path | None) -> Backbone:
    backbone = load_backbone(name, folder=folder, offline=folder is not None)
    return backbone.to(memory_format=torch.channels_last)


def measure_speed(given: argparse.Namespace, backbone: Backbone) -> None:
    content, reference = planes(given.photo, given.size), planes(given.style_image, given.size)
    task = OptimizationTask(content, (StyleReference(image=reference),))
    rows: dict[str, Step] = {}
    for kind in ("lbfgs", "adam"):
        rows[f"plain torch, {kind}"] = bare_loop(backbone, content, reference, kind)
        rows[f"vidstyle, {kind}"] = stepper(backbone, task, kind, "float32")
        rows[f"vidstyle, {kind}, bfloat16"] = stepper(backbone, task, kind, "bfloat16")
    if given.compile:
        faster = cast("Backbone", torch.compile(backbone))
        rows["vidstyle, adam, compiled"] = stepper(faster, task, "adam", "float32")
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    losses: dict[str, float] = {}
    for turn in range(given.rounds + 1):
        for name, step in rows.items():
            before = time.process_time()
            losses[name] = step()
            # The first turn makes buffers and kernels.
            if turn:
                seconds[name].append(time.process_time() - before)
    width, height = content.shape[3], content.shape[2]
    print(f"{backbone.name}, {width}x{height}: median processor seconds a step, loss after all")
    for name in rows:
        print(f"  {name:28}{median(seconds[name]):8.3f}{losses[name]:10.4f}", flush=True)


def stepper(backbone: Backbone, task: OptimizationTask, kind: str, precision: Precision) -> Step:
    objective = ImageLoss(backbone, task.content, task.references, LossOptions(precision=precision))
    way: Descent = (
        Lbfgs(objective.evaluate, task.content, memory=20)
        if kind == "lbfgs"
        else Adam(objective.evaluate, task.content, learning_rate=0.02)
    )

    def step() -> float:
        way.step()
        return way.now.loss

    return step


def bare_loop(
    backbone: Backbone, content: torch.Tensor, style_image: torch.Tensor, kind: str
) -> Step:
    """The same losses, written down: nothing of vidstyle but its weights."""
    layers, mean = _numbered_layers(backbone), backbone.get_buffer("mean")
    names = BACKBONES[backbone.name].names
    numbers = {int(names[layer].split(".")[1]): layer for layer in backbone.default_style_layers}
    content_number = int(names[backbone.default_content_layer].split(".")[1])
    weights, scales = LossOptions(), backbone.default_style_scales

    def features(image: torch.Tensor, scale: float) -> dict[int, torch.Tensor]:
        if scale != 1:
            image = functional.interpolate(
                image, scale_factor=scale, mode="bilinear", antialias=True
            )
        size = image.shape[2:]
        found, values = {}, mirrored(image) - mean
        wanted = {*numbers, content_number} if scale == 1 else set(numbers)
        for number in range(max(wanted) + 1):
            values = layers[number](values)
            if number in wanted:
                down, across = (
                    8 * v // (s + 16) for v, s in zip(values.shape[2:], size, strict=True)
                )
                found[number] = values[:, :, down : -down or None, across : -across or None]
        return found

    def gram(values: torch.Tensor) -> torch.Tensor:
        _, channels, height, width = values.shape
        flat = values.permute(0, 2, 3, 1).reshape(1, height * width, channels)
        return flat.transpose(1, 2) @ flat / (channels * height * width)

    def variation(image: torch.Tensor) -> torch.Tensor:
        down = image[:, :, 1:] - image[:, :, :-1]
        across = image[:, :, :, 1:] - image[:, :, :, :-1]
        return down.square().mean() + across.square().mean()

    with torch.no_grad():
        own = {scale: features(content, scale) for scale in scales}
        theirs = {scale: features(style_image, scale) for scale in scales}
        targets = {(s, n): gram(theirs[s][n]) for s in scales for n in numbers}
        units = {
            key: functional.mse_loss(gram(own[key[0]][key[1]]), target)
            for key, target in targets.items()
        }
        wanted = own[1.0][content_number]
        spread = (wanted - wanted.mean((2, 3), keepdim=True)).square().mean()
        smooth = variation(content)
    # As torch's optimizer wants it.
    image = content.clone(memory_format=torch.contiguous_format).requires_grad_()

    def loss() -> torch.Tensor:
        found = {scale: features(image, scale) for scale in scales}
        style = torch.stack(
            [
                functional.mse_loss(gram(found[s][n]), targets[s, n]) / units[s, n]
                for s, n in targets
            ]
        ).mean()
        likeness = functional.mse_loss(found[1.0][content_number], wanted) / spread
        range_penalty = (image - image.clamp(0, 1)).square().mean()
        return (
            weights.style_weight * style
            + weights.content_weight * likeness
            + weights.variation_weight * variation(image) / smooth
            + weights.range_penalty_weight * range_penalty
        )

    optimizer: torch.optim.Optimizer = (
        torch.optim.LBFGS([image], 1.0, 1, history_size=20, line_search_fn="strong_wolfe")
        if kind == "lbfgs"
        else torch.optim.Adam([image], 0.02)
    )

    def closure() -> float:
        optimizer.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        return float(value.detach())

    return lambda: cast("float", cast("Any", optimizer).step(closure))


def _numbered_layers(backbone: Backbone) -> list[nn.Module]:
    """Of VGG and SqueezeNet; features are not to be changed by the layer above."""
    layers = [*backbone.network.get_submodule("features").children()]
    return [nn.ReLU() if isinstance(layer, nn.ReLU) else layer for layer in layers]


def mirrored(image: torch.Tensor) -> torch.Tensor:
    """Eight pixels more on each side, those of the edge twice."""
    rows, columns = (
        [*range(7, -1, -1), *range(length), *range(length - 1, length - 9, -1)]
        for length in image.shape[2:]
    )
    return image[:, :, rows][:, :, :, columns]


def measure_steps(given: argparse.Namespace, backbone: Backbone) -> None:
    hundredth = []
    for photo in given.photos:
        for style_image in given.style_images:
            content, reference = planes(photo, given.size), planes(style_image, given.size)
            task = OptimizationTask(content, (StyleReference(image=reference),))
            losses = losses_of(backbone, task, DescentOptions(steps=500))
            begun = ImageLoss(backbone, content, task.references, LossOptions())
            first = begun.evaluate(content).loss
            reached = [(first - losses[at - 1]) / (first - losses[-1]) for at in (25, 50, 100)]
            hundredth.append(reached[-1])
            print(
                f"{backbone.name}, {photo.stem} after {style_image.stem}: {first:.3f} to"
                f" {losses[-1]:.4f}; of the fall, after 25, 50, 100 steps: "
                + ", ".join(f"{share:.1%}" for share in reached),
                flush=True,
            )
    print(f"{backbone.name}, after 100 steps at least {min(hundredth):.1%}", flush=True)


def losses_of(backbone: Backbone, task: OptimizationTask, settings: DescentOptions) -> list[float]:
    """The loss after each step."""
    losses: list[float] = []

    def watch(progress: OptimizationStep) -> bool:
        losses.append(progress.loss)
        return True

    optimize_image(backbone, task, options=settings, watch=watch)
    # Where no step gains any more, all that would follow have that loss.
    return losses + losses[-1:] * (settings.steps - len(losses))


def measure_clip(given: argparse.Namespace, backbone: Backbone) -> None:
    frames = list(read_frames(given.clip, given.frames, given.size))
    reference = StyleReference(image=planes(given.style_image, given.size))
    evaluator = choose_evaluator(blended_with="dis", weights=given.weights)
    clips: dict[str, list[HostArray]] = {
        "per frame": [],
        "per frame, from noise": [],
        "warped start": [],
    }
    needed: list[tuple[int, int]] = []
    before: torch.Tensor | None = None
    for number, frame in enumerate(frames):
        content = to_planes(frame)
        whole, longer = DescentOptions(steps=given.steps), DescentOptions(steps=3 * given.steps)
        task = OptimizationTask(content, (reference,))
        single = optimize_image(backbone, task, options=whole)
        seeded = whole.model_copy(update={"start": "noise", "seed": number})
        noise = optimize_image(backbone, task, options=seeded)
        # As in the pipeline: the first frame has three times the steps, the others half of them.
        image = (
            optimize_image(backbone, task, options=longer).image
            if (before is None)
            else single.image
        )
        if before is not None:
            past = past_of(frames[number - 1], frame, before)
            losses = LossOptions()
            half = whole.model_copy(update={"steps": given.steps // 2, "start": "previous"})
            image = optimize_image(
                backbone, replace(task, past=past), losses=losses, options=half
            ).image
            needed.append(steps_needed(backbone, task, past, whole))
        for name, stylized in zip(clips, (single.image, noise.image, image), strict=True):
            clips[name].append(to_image(stylized))
        before = image
    errors = warping_errors(frames, clips, evaluator.flow)
    print(f"{backbone.name}, {given.clip.stem}, {len(frames)} frames; measured by {evaluator.name}")
    print(f"  steps to the same loss, warped start to content: {share_of_steps(needed):.2f}")
    base = errors["per frame"].value
    for name, error in errors.items():
        print(f"  E_warp {name:20}{error.value:.5f}  {error.value / base:.2f}", flush=True)
    if given.images:
        save(given.images / backbone.name, clips)


def steps_needed(
    backbone: Backbone, task: OptimizationTask, past: Past, settings: DescentOptions
) -> tuple[int, int]:
    """Steps of a warped start, and of one from the content, to what the latter ends at.

    By the same losses, temporal one included.
    """
    held = replace(task, past=past)
    cold = losses_of(backbone, held, settings)
    warm = losses_of(backbone, held, settings.model_copy(update={"start": "previous"}))
    goal = cold[-1]
    found = next((at for at, loss in enumerate(warm, 1) if loss <= goal), settings.steps)
    return found, settings.steps


def share_of_steps(needed: Sequence[tuple[int, int]]) -> float:
    return sum(warm for warm, _ in needed) / sum(cold for _, cold in needed)


def past_of(earlier: HostArray, later: HostArray, stylized: torch.Tensor) -> Past:
    """The stylized earlier frame on the later one's grid, by DIS."""
    search = dense_search(DisOptions(preset="medium"))
    layers = pair_layers(
        later, earlier, both_ways(lambda first, second: search_flow(search, first, second))
    )
    flow = torch.from_numpy(layers["flow"]).permute(2, 0, 1)[None]
    visible = torch.from_numpy(layers["visible"])[None, None]
    return Past(warp(stylized, flow).clamp(0, 1), visible)


def planes(path: Path, side: int) -> torch.Tensor:
    """(1, 3, H, W) of an image whose longer side is made ``side``."""
    return to_planes(fitted(read_style_image(path), side))


def fitted(image: HostArray, side: int) -> HostArray:
    factor = side / max(image.shape[:2])
    height, width = (round(length * factor) for length in image.shape[:2])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def to_planes(image: HostArray) -> torch.Tensor:
    tensor = torch.from_numpy(image.copy()).permute(2, 0, 1)[None]
    return tensor.contiguous(memory_format=torch.channels_last)


def to_image(stylized: torch.Tensor) -> HostArray:
    return np.ascontiguousarray(stylized[0].permute(1, 2, 0).numpy())


def read_frames(path: Path, count: int, side: int) -> Iterator[HostArray]:
    source = DecodeImages(ImagesOptions()) if path.is_dir() else DecodePyAV(DecodeOptions())
    source.open(path, ExecutionContext())
    try:
        for number, frame in enumerate(source.frames(None)):
            if number == count:
                break
            yield fitted(frame.host("source"), side)
    finally:
        source.close()


def save(folder: Path, clips: dict[str, list[HostArray]]) -> None:
    for name, images in clips.items():
        context = folder / name.replace(",", "").replace(" ", "-")
        context.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(images):
            codes = (255 * image[..., ::-1] + 0.5).astype(np.uint8)
            cv2.imwrite(str(context / f"{number:03}.png"), codes)


if __name__ == "__main__":
    main()
