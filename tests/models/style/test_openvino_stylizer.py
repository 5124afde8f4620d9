"""Mixes of styles by OpenVINO: the networks of averaged weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vidstyle.core import HostArray
from vidstyle.core.errors import WeightsError
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.network import stylize
from vidstyle.models.style.openvino_stylizer import OpenVinoStylizer
from vidstyle.models.style.style_file import Credit, StyleInfo, load_style, save_style

IMAGE = np.random.default_rng(0).random((24, 32, 3), np.float32)


@pytest.fixture(scope="module")
def styles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, paths = tmp_path_factory.mktemp("styles"), {}
    for seed, name in enumerate(("a", "b", "c")):
        network = empty_network("fast", 4)
        network.initialize(torch.Generator().manual_seed(seed))
        paths[name] = folder / f"{name}.safetensors"
        save_style(paths[name], StyleInfo(name, Credit(), "fast", 4), network)
    return paths


def by_torch(styles: dict[str, Path], mix: dict[str, float]) -> HostArray:
    """By a network whose weights are averaged in float64."""
    network = empty_network("fast", 4)
    states = {name: load_style(styles[name]).module.state_dict() for name in mix}
    network.load_state_dict(
        {
            key: sum(states[name][key].double() * weight for name, weight in mix.items()).float()
            for key in network.state_dict()
        }
    )
    with torch.inference_mode():
        stylized = stylize(network.eval(), torch.from_numpy(IMAGE).permute(2, 0, 1)[None])
    return stylized[0].permute(1, 2, 0).numpy()


def test_mixes_may_change_in_any_order(styles: dict[str, Path]) -> None:
    stylizer = OpenVinoStylizer(styles, precision="float32", threads=1)
    mixes = ({"a": 1.0}, {"a": 0.5, "b": 0.3, "c": 0.2}, {"b": 1.0}, {"a": 0.1, "b": 0.9})
    for mix in (*mixes, mixes[1]):
        stylized = stylizer.stylize(IMAGE, {"a": 0.0, "b": 0.0, "c": 0.0, **mix})
        np.testing.assert_allclose(stylized, by_torch(styles, mix), atol=1e-4)


def test_8_bits_of_a_style_without_ranges_are_refused(styles: dict[str, Path]) -> None:
    with pytest.raises(WeightsError, match="has no ranges for 8 bits: train it again"):
        OpenVinoStylizer({"a": styles["a"]}, precision="int8", threads=1)


def test_a_network_serves_until_the_mix_changes(styles: dict[str, Path]) -> None:
    stylizer = OpenVinoStylizer(styles, precision="float32", threads=1)
    first = stylizer.network({"a": 0.5, "b": 0.5})
    assert stylizer.network({"a": 0.5, "b": 0.5, "c": 0.0}) is first
    assert stylizer.network({"a": 0.5, "c": 0.5}) is not first
