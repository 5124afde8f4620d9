"""Checkpoints of other projects become styles, and what is none of theirs is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.models.numbered_networks import numbered_weights
from tests.models.original_networks import Weights, original_weights, with_statistics
from vidstyle.core.errors import WeightsError
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import Credit, load_style, save_style
from vidstyle.models.style.style_import import ImportedStyle, import_style

CREDIT = Credit("Wave", "Nobody, 1900", "public domain")


def imported(path: Path) -> ImportedStyle:
    return import_style(path, name="wave", credit=CREDIT)


def style_image(path: Path) -> torch.Tensor:
    image = torch.rand(1, 3, 16, 20, generator=torch.Generator().manual_seed(3))
    return stylize(imported(path).style.module, image)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "wave.pth"
    torch.save(original_weights(), file)
    return file


def test_an_imported_style_says_where_it_is_from(path: Path) -> None:
    found = imported(path)
    info = found.style.info
    assert (info.name, info.credit) == ("wave", CREDIT)
    assert (info.architecture, info.width) == ("johnson", 2)
    assert dict(info.settings) == {
        "imported_from": "pytorch/examples fast_neural_style",
        "file": "wave.pth",
    }
    assert found.recognized == (
        "pytorch/examples fast_neural_style, 2 channels, resize convolution"
    )
    assert found.ignored == ()
    assert not found.style.module.training
    assert not any(p.requires_grad for p in found.style.module.parameters())


def test_an_imported_style_comes_back_from_its_file(path: Path, tmp_path: Path) -> None:
    style = imported(path).style
    save_style(tmp_path / "wave.safetensors", style.info, style.module)
    stored = load_style(tmp_path / "wave.safetensors")
    assert stored.info == style.info
    image = torch.rand(1, 3, 16, 20, generator=torch.Generator().manual_seed(3))
    worst = (stylize(stored.module, image) - stylize(style.module, image)).abs().max()
    assert worst < 1 / 255


def in_safetensors(path: Path, weights: Weights) -> None:
    save_file(weights, path.with_suffix(".safetensors"))
    path.with_suffix(".safetensors").rename(path)


def in_parallel(path: Path, weights: Weights) -> None:
    torch.save({f"module.{key}": value for key, value in weights.items()}, path)


def compiled_in_parallel(path: Path, weights: Weights) -> None:
    torch.save({f"_orig_mod.module.{key}": value for key, value in weights.items()}, path)


def with_old_statistics(path: Path, weights: Weights) -> None:
    torch.save(with_statistics(weights), path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize(
    "write", [in_safetensors, in_parallel, compiled_in_parallel, with_old_statistics]
)
@pytest.mark.parametrize("suffix", [".pth", ".model", ".safetensors"])
def test_the_same_weights_in_other_clothes_are_the_same_style(
    path: Path, tmp_path: Path, write: Callable[[Path, Weights], None], suffix: str
) -> None:
    other = tmp_path / f"other{suffix}"
    write(other, original_weights())
    if suffix == ".safetensors" and write is not in_safetensors:
        with pytest.raises(WeightsError, match="not a safetensors file"):
            imported(other)
    else:
        assert torch.equal(style_image(other), style_image(path))


@pytest.mark.parametrize("name", ["state_dict", "model_state_dict"])
def test_checkpoints_are_unwrapped_and_the_rest_is_listed(path: Path, name: str) -> None:
    before = style_image(path)
    weights = {f"module.{key}": value for key, value in original_weights().items()}
    torch.save({"epoch": 3, name: weights, "optimizer": {"state": {}}}, path)
    assert torch.equal(style_image(path), before)
    assert imported(path).ignored == ("epoch, optimizer: not used",)
    torch.save({name: weights}, path)
    assert imported(path).ignored == ()


@pytest.mark.parametrize("prefix", ["model.", "network.module.", "module.model."])
def test_keys_of_a_part_of_something_are_shortened(path: Path, prefix: str) -> None:
    before = style_image(path)
    weights = {f"{prefix}{key}": value for key, value in original_weights().items()}
    torch.save({"state_dict": weights}, path)
    assert torch.equal(style_image(path), before)


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_numbered_weights_are_another_layout(path: Path, tmp_path: Path, prefix: str) -> None:
    weights = {f"{prefix}{key}": value for key, value in numbered_weights().items()}
    torch.save({"state_dict": weights}, path)
    found = imported(path)
    info = found.style.info
    assert (info.architecture, info.width) == ("johnson-tanh", 2)
    assert info.settings["imported_from"] == "lengstrom fast-style-transfer"
    assert found.recognized == "lengstrom fast-style-transfer, 2 channels"
    save_style(tmp_path / "wave.safetensors", info, found.style.module)
    assert load_style(tmp_path / "wave.safetensors").info == info


def test_numbered_weights_take_no_order_of_channels(path: Path) -> None:
    torch.save(numbered_weights(), path)
    with pytest.raises(WeightsError, match="which takes RGB: leave out --channels"):
        import_style(path, name="wave", credit=CREDIT, channels="bgr")


def test_numbered_weights_beyond_what_a_style_stores_are_refused(path: Path) -> None:
    weights = numbered_weights()
    weights["Variable"] *= 1000
    torch.save(weights, path)
    with pytest.raises(WeightsError, match="Variable is too large for a style's float16"):
        imported(path)


def test_what_a_network_ignores_is_listed(path: Path) -> None:
    torch.save({"state_dict": with_statistics(original_weights()), "epoch": 1}, path)
    assert imported(path).ignored == (
        "epoch: not used",
        "running statistics of old instance normalization: not used",
    )


def test_a_style_of_ours_is_recognized(path: Path, tmp_path: Path) -> None:
    style = imported(path).style
    for ours in (tmp_path / "ours.safetensors", tmp_path / "ours.pth"):
        save_style(ours, style.info, style.module)
        with pytest.raises(WeightsError, match=r"is a style of vidstyle already \(wave\): use it"):
            imported(ours)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (3, "but a value of type int$"),
        ([torch.zeros(2)], "but a value of type list$"),
        ({3: torch.zeros(2)}, "but a value of type dict$"),
        ({"x" * 1000: torch.zeros(2)}, "but a value of type dict$"),
        ({"\x1b[2J": torch.zeros(2)}, "but a value of type dict$"),
        ({"epoch": 3}, "epoch is not a plain array of numbers"),
        ({"weight": torch.eye(2).to_sparse()}, "weight is not a plain array of numbers"),
        ({"weight": torch.zeros(2, device="meta")}, "weight is not a plain array of numbers"),
        ({"state_dict": {"state_dict": {}}}, "state_dict is not a plain array of numbers"),
        ({}, "is of no layout that is known: it begins with nothing"),
        ({"conv1.weight": torch.zeros(8, 3, 9, 9)}, r"begins with conv1\.weight \(8, 3, 9, 9\)"),
    ],
)
def test_what_is_no_network_of_theirs_is_refused(path: Path, content: Any, words: str) -> None:
    torch.save(content, path)
    with pytest.raises(WeightsError, match=words) as caught:
        imported(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_inside_itself_is_refused(path: Path) -> None:
    endless: dict[str, Any] = {}
    endless["state_dict"] = endless
    torch.save(endless, path)
    with pytest.raises(WeightsError, match="state_dict is not a plain array of numbers"):
        imported(path)


def test_weights_beyond_what_a_style_stores_are_refused(path: Path) -> None:
    weights = original_weights()
    weights["conv1.conv2d.weight"] *= 1000
    torch.save(weights, path)
    with pytest.raises(WeightsError, match=r"conv1\.conv2d\.weight is too large for a style's"):
        imported(path)


def test_weights_that_are_not_finite_are_refused(path: Path) -> None:
    weights = original_weights()
    weights["in3.bias"][1] = torch.nan
    torch.save(weights, path)
    with pytest.raises(WeightsError, match=r"in3\.bias has values that are not finite"):
        imported(path)


@pytest.mark.parametrize("keep", [0, 8, 9, 500, -1])
@pytest.mark.parametrize("write", [in_safetensors, in_parallel])
def test_a_file_cut_short_is_refused(
    path: Path, write: Callable[[Path, Weights], None], keep: int
) -> None:
    write(path, original_weights())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match="is damaged"):
        imported(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"wave\.pth is not there"):
        imported(tmp_path / "wave.pth")
