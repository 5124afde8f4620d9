"""Stylizing by torch: the network's own images on the cpu, and within half precision on a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import torch

from vidstyle.models.style.architectures import ArchitectureName, empty_network
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import Credit, StyleInfo, load_style, save_style
from vidstyle.models.style.torch_stylizer import TorchStylizer


def styles(folder: Path, architecture: ArchitectureName, count: int = 1) -> dict[str, Path]:
    """Styles that were never trained."""
    found = {}
    for seed in range(count):
        network = empty_network(architecture, 4)
        network.initialize(torch.Generator().manual_seed(seed))
        found[f"style-{seed}"] = folder / f"{architecture}-{seed}.safetensors"
        info = StyleInfo(f"style-{seed}", Credit(), architecture, 4)
        save_style(found[f"style-{seed}"], info, network)
    return found


def images(count: int, seed: int = 0, device: str = "cpu") -> torch.Tensor:
    return torch.rand(count, 3, 40, 52, generator=torch.Generator().manual_seed(seed)).to(device)


@pytest.mark.parametrize("architecture", get_args(ArchitectureName))
def test_on_the_cpu_it_is_the_network_itself(
    architecture: ArchitectureName, tmp_path: Path
) -> None:
    found = styles(tmp_path, architecture)
    stylizer = TorchStylizer(found, precision="float32", device="cpu", compiled=False)
    network = load_style(found["style-0"]).module.to(memory_format=torch.channels_last)
    for seed in range(3):
        given = images(2, seed)
        with torch.inference_mode():
            wanted = stylize(network, given.contiguous(memory_format=torch.channels_last))
        assert torch.equal(stylizer.stylize(given, {"style-0": 1.0}), wanted)


@pytest.mark.parametrize("architecture", get_args(ArchitectureName))
def test_graphs_give_what_the_cpu_gives(
    architecture: ArchitectureName, tmp_path: Path, gpu: str
) -> None:
    found = styles(tmp_path, architecture)
    stylizers = [
        TorchStylizer(found, precision="float32", device=device, compiled=False)
        for device in ("cpu", gpu)
    ]
    for seed, count in enumerate((4, 4, 1, 4, 1, 1)):
        on_cpu, on_gpu = (
            stylizer.stylize(images(count, seed, device), {"style-0": 1.0}).cpu()
            for stylizer, device in zip(stylizers, ("cpu", gpu), strict=True)
        )
        torch.testing.assert_close(on_gpu, on_cpu, rtol=0, atol=2e-2)


def test_a_mix_that_changes_is_followed(tmp_path: Path, gpu: str) -> None:
    found = styles(tmp_path, "fast", 2)
    stylizers = [
        TorchStylizer(found, precision="float32", device=device, compiled=False)
        for device in ("cpu", gpu)
    ]
    for share in (0.1, 0.4, 0.7, 0.9):
        shares = {"style-0": share, "style-1": 1 - share}
        on_cpu, on_gpu = (
            stylizer.stylize(images(1, 0, device), shares).cpu()
            for stylizer, device in zip(stylizers, ("cpu", gpu), strict=True)
        )
        torch.testing.assert_close(on_gpu, on_cpu, rtol=0, atol=2e-2)


def test_half_precision_is_float32_in_the_end(tmp_path: Path, gpu: str) -> None:
    stylizer = TorchStylizer(
        styles(tmp_path, "fast"), precision="float16", device=gpu, compiled=False
    )
    made = [stylizer.stylize(images(1, device=gpu), {"style-0": 1.0}) for _ in range(3)]
    assert made[0].dtype == torch.float32
    for again in made[1:]:
        torch.testing.assert_close(again, made[0], rtol=0, atol=2e-2)
