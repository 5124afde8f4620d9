"""A training learns, ends in a style file, and is resumed where it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from vidstyle.core.errors import InputError, OutputError, UsageError, WeightsError
from vidstyle.core.stop import StopRequest
from vidstyle.models.loss.objective import Objective
from vidstyle.models.style import styles
from vidstyle.models.style.style_file import Credit, StyleInfo, load_style
from vidstyle.models.weights import safetensors_file
from vidstyle.training import nearest
from vidstyle.training.loop import train_style
from vidstyle.training.run import learning_rate
from vidstyle.training.settings import TrainingSettings
from vidstyle.training.watch import TrainingStep

Train = Callable[..., StyleInfo]


class StopError(Exception):
    """Stands in for a kill."""


@pytest.fixture
def train(settings: TrainingSettings, style_image: Path, photos: Path, weights: Path) -> Train:
    def run(
        destination: Path, settings: TrainingSettings = settings, **options: object
    ) -> StyleInfo:
        given: dict[str, object] = {
            "style_image": style_image,
            "photos": photos,
            "weights": weights,
        }
        return train_style(settings, destination=destination, **{**given, **options})  # type: ignore[arg-type]  # a test's shorthand

    return run


class Steps:
    """Keeps all steps, and stops the training after one of its steps."""

    def __init__(self, stop_after: int = 0) -> None:
        self.steps: list[TrainingStep] = []
        self.images: list[tuple[int, str]] = []
        self._stop_after = stop_after

    def step(self, progress: TrainingStep) -> None:
        self.steps.append(progress)
        if progress.iteration == self._stop_after:
            raise StopError

    def image(self, iteration: int, name: str, image: npt.NDArray[np.uint8]) -> None:
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
        self.images.append((iteration, name))

    def close(self) -> None:
        return None


def test_a_training_ends_in_a_style_file(
    train: Train, tmp_path: Path, settings: TrainingSettings
) -> None:
    path = tmp_path / "stripes.safetensors"
    credit = Credit("Stripes", "Nobody", "CC0")
    steps = Steps()
    info = train(path, credit=credit, watcher=steps)
    assert load_style(path).info == info
    assert info.name == "stripes"
    assert info.credit == credit
    assert TrainingSettings(**info.settings) == settings
    assert set(info.losses) == {"style", "content", "structure", "range_penalty", "noise"}
    assert [step.iteration for step in steps.steps] == list(range(1, 7))
    assert {"style", "content", "structure", "range_penalty", "temporal"} == set(
        steps.steps[0].losses
    )


def test_held_out_photos_are_shown_as_they_are_stylized(train: Train, tmp_path: Path) -> None:
    steps = Steps()
    train(tmp_path / "s.safetensors", preview_every=3, watcher=steps)
    shown = [(at, f"photo-{number}") for at in (3, 6) for number in (1, 2)]
    assert steps.images == [(0, "style_image"), *shown]


def test_a_training_without_temporal_loss_is_on_single_photos(
    train: Train, tmp_path: Path, settings: TrainingSettings
) -> None:
    steps = Steps()
    single = settings.model_copy(update={"temporal_weight": 0.0})
    train(tmp_path / "s.safetensors", single, watcher=steps)
    assert {"style", "content", "structure", "range_penalty"} == set(steps.steps[0].losses)


def test_there_is_a_base_for_the_default_network_alone(
    train: Train, tmp_path: Path, settings: TrainingSettings
) -> None:
    based = settings.model_copy(update={"initial_weights": "base"})
    with pytest.raises(UsageError, match="no base network for fast with 2 channels: use --initial"):
        train(tmp_path / "s.safetensors", based)


def test_a_training_starts_at_a_style(
    train: Train, tmp_path: Path, settings: TrainingSettings
) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    train(first)
    still = settings.model_copy(
        update={"initial_weights": str(first), "iterations": 1, "learning_rate": 1e-12}
    )
    train(second, still)
    before, after = (load_style(path).module.state_dict() for path in (first, second))
    assert all(torch.allclose(before[name], after[name], atol=1e-3) for name in before)
    assert load_style(second).info.settings["initial_weights"] == "first"
    wider = still.model_copy(update={"width": 3})
    with pytest.raises(UsageError, match="fast with 2 channels; this training has fast with 3"):
        train(second, wider)


def test_what_holds_to_the_photo_counts_more_from_step_to_step(
    train: Train, tmp_path: Path, settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []

    def total(objective: Objective, terms: dict[str, torch.Tensor]) -> torch.Tensor:
        seen.append(objective.options.structure_weight)
        return plain(objective, terms)

    plain = Objective.total
    monkeypatch.setattr(Objective, "total", total)
    train(tmp_path / "s.safetensors", settings.model_copy(update={"ramp": 0.5}))
    weight = settings.structure_weight
    assert seen == pytest.approx([weight / 3, 2 * weight / 3, weight, weight, weight, weight])


def test_a_content_loss_counts_more_the_farther_it_is_from_its_target(
    train: Train, tmp_path: Path, settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[float] = []
    losses: list[float] = []

    def total(objective: Objective, terms: dict[str, torch.Tensor]) -> torch.Tensor:
        seen.append(objective.options.content_weight)
        losses.append(float(terms["content"].detach()))
        return plain(objective, terms)

    plain = Objective.total
    monkeypatch.setattr(Objective, "total", total)
    targeted = settings.model_copy(update={"ramp": 0.0, "content_target": 0.5})
    train(tmp_path / "s.safetensors", targeted)
    assert len(set(losses)) > 1
    wanted = [settings.content_weight * (loss / 0.5) ** 2 for loss in losses]
    assert seen == pytest.approx(wanted)
    seen.clear()
    train(tmp_path / "s.safetensors", targeted.model_copy(update={"content_target": 0.0}))
    assert seen == pytest.approx([settings.content_weight] * settings.iterations)


def test_a_training_starts_at_the_shipped_style_that_is_nearest(
    train: Train, tmp_path: Path, settings: TrainingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    trained = settings.model_copy(update={"iterations": 60, "content_weight": 0.0})
    train(shipped / "waves.safetensors", trained)
    train(shipped / "again.safetensors", settings.model_copy(update={"iterations": 1}))
    train(shipped / "wider.safetensors", trained.model_copy(update={"width": 3}))
    monkeypatch.setattr(nearest, "shipped_styles", lambda: shipped)
    monkeypatch.setattr(styles, "shipped_styles", lambda: shipped)
    info = train(
        tmp_path / "s.safetensors", trained.model_copy(update={"initial_weights": "nearest"})
    )
    assert info.settings["initial_weights"] == "waves"
    without = settings.model_copy(update={"initial_weights": "nearest", "width": 4})
    with pytest.raises(UsageError, match="no style of fast with 4 channels ships"):
        train(tmp_path / "s.safetensors", without)


def test_a_training_brings_the_style_nearer(
    train: Train, tmp_path: Path, settings: TrainingSettings
) -> None:
    # Style alone: the features of a VGG19 that was never trained make the terms disagree.
    single = {
        "content_weight": 0.0,
        "structure_weight": 0.0,
        "temporal_weight": 0.0,
        "learning_rate": 5e-3,
    }
    style = {
        iterations: train(
            tmp_path / "s.safetensors",
            settings.model_copy(update={**single, "iterations": iterations}),
        ).losses["style"]
        for iterations in (1, 150)
    }
    assert style[150] < 0.6 * style[1]


def test_the_same_seed_gives_the_same_file(train: Train, tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "s.safetensors", tmp_path / "b" / "s.safetensors"
    for path in (first, second):
        path.parent.mkdir()
        train(path)
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("stopped_after", [2, 3])
def test_a_killed_training_goes_on_bit_for_bit(
    train: Train, tmp_path: Path, stopped_after: int
) -> None:
    whole, parts = tmp_path / "whole" / "s.safetensors", tmp_path / "parts" / "s.safetensors"
    for path in (whole, parts):
        path.parent.mkdir()
    train(whole)
    with pytest.raises(StopError):
        train(parts, checkpoint_every=2, watcher=Steps(stopped_after))
    assert [path.name for path in parts.parent.iterdir()] == ["s.checkpoint"]
    steps = Steps()
    train(parts, resume=True, watcher=steps)
    assert steps.steps[0].iteration == 3
    assert parts.read_bytes() == whole.read_bytes()
    assert [path.name for path in parts.parent.iterdir()] == ["s.safetensors"]


def test_a_training_that_is_asked_to_stop_keeps_its_last_step(train: Train, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole" / "s.safetensors", tmp_path / "parts" / "s.safetensors"
    for path in (whole, parts):
        path.parent.mkdir()
    train(whole)
    stop = StopRequest()

    class Asking(Steps):
        def step(self, step: TrainingStep) -> None:
            super().step(step)
            if step.iteration == 2:
                stop.reason = StopError()

    with pytest.raises(StopError):
        train(parts, checkpoint_every=100, watcher=Asking(), stop=stop)
    steps = Steps()
    train(parts, resume=True, watcher=steps)
    # The step during which it was asked to is finished and kept.
    assert steps.steps[0].iteration == 4
    assert parts.read_bytes() == whole.read_bytes()


def test_without_resume_a_training_begins_at_step_1(train: Train, tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    with pytest.raises(StopError):
        train(path, checkpoint_every=2, watcher=Steps(2))
    steps = Steps()
    train(path, watcher=steps)
    assert steps.steps[0].iteration == 1


def test_resume_without_a_checkpoint_begins_at_step_1(train: Train, tmp_path: Path) -> None:
    steps = Steps()
    train(tmp_path / "s.safetensors", resume=True, watcher=steps)
    assert steps.steps[0].iteration == 1


def test_a_checkpoint_of_other_settings_is_refused(
    train: Train, tmp_path: Path, settings: TrainingSettings
) -> None:
    path = tmp_path / "s.safetensors"
    with pytest.raises(StopError):
        train(path, checkpoint_every=2, watcher=Steps(2))
    other = settings.model_copy(update={"seed": 1})
    with pytest.raises(UsageError, match="a training with other settings: train without"):
        train(path, other, resume=True)
    assert not path.exists()


def test_a_checkpoint_of_another_loss_network_is_refused(
    train: Train, tmp_path: Path, weights: Path
) -> None:
    path = tmp_path / "s.safetensors"
    with pytest.raises(StopError):
        train(path, checkpoint_every=2, watcher=Steps(2))
    [file] = weights.iterdir()
    tensors = safetensors_file.read_tensors(file)
    safetensors_file.write(file, {key: 2 * value for key, value in tensors.items()}, {})
    with pytest.raises(UsageError, match="a training with other loss network"):
        train(path, resume=True)


def test_a_checkpoint_that_lacks_something_is_refused(train: Train, tmp_path: Path) -> None:
    metadata = {"vidstyle.checkpoint": "1", "iteration": "2"}
    safetensors_file.write(tmp_path / "s.checkpoint", {}, metadata)
    with pytest.raises(WeightsError, match="is damaged"):
        train(tmp_path / "s.safetensors", resume=True)


def test_a_damaged_checkpoint_is_refused(train: Train, tmp_path: Path) -> None:
    (tmp_path / "s.checkpoint").write_bytes(b"\x80\x04K\x00.")
    with pytest.raises(WeightsError, match="damaged or not a safetensors file"):
        train(tmp_path / "s.safetensors", resume=True)


def test_a_style_is_not_taken_for_a_checkpoint(train: Train, tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    train(path)
    path.rename(path.with_suffix(".checkpoint"))
    with pytest.raises(WeightsError, match="is not a checkpoint of this version"):
        train(path, resume=True)


def test_a_loss_that_is_not_finite_stops_the_training(
    train: Train, tmp_path: Path, settings: TrainingSettings
) -> None:
    wild = settings.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(UsageError, match=r"not finite after \d+ iterations: lower the learning"):
        train(tmp_path / "s.safetensors", wild)
    assert not (tmp_path / "s.safetensors").exists()


def test_a_style_image_that_is_none_is_refused(train: Train, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        train(tmp_path / "s.safetensors", style_image=tmp_path / "none.png")


def test_a_destination_that_cannot_be_is_refused_at_once(train: Train, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.safetensors"):
        train(tmp_path / "s.pt")
    with pytest.raises(OutputError, match="cannot write to the folder"):
        train(tmp_path / "nowhere" / "s.safetensors")


def test_layers_beyond_the_weights_are_refused(
    train: Train, tmp_path: Path, settings: TrainingSettings
) -> None:
    deeper = settings.model_copy(update={"content_layers": ("relu4_1",)})
    with pytest.raises(
        UsageError, match="has no layer relu4_1; there are relu1_1, relu1_2, relu2_1"
    ):
        train(tmp_path / "s.safetensors", deeper)


def test_the_global_random_numbers_are_left_alone(train: Train, tmp_path: Path) -> None:
    state = torch.get_rng_state()
    train(tmp_path / "s.safetensors")
    assert torch.equal(torch.get_rng_state(), state)


def test_the_learning_rate_rises_stays_and_falls_to_zero(settings: TrainingSettings) -> None:
    long = settings.model_copy(update={"iterations": 1000, "decay": 0.4, "learning_rate": 1e-3})
    assert [learning_rate(long, at) for at in (0, 29)] == pytest.approx([1e-3 / 60, 5e-4])
    assert [learning_rate(long, at) for at in (59, 599, 600)] == [1e-3] * 3
    assert learning_rate(long, 800) == pytest.approx(5e-4)
    assert learning_rate(long, 999) == pytest.approx(2.5e-6)
    constant = long.model_copy(update={"decay": 0.0})
    assert learning_rate(constant, 999) == 1e-3


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        TrainingSettings(iteration=5)  # type: ignore[call-arg]  # the point of the test
