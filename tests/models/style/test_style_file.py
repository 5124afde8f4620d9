"""A style file comes back as it was, and nothing else is taken for one."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from vidstyle.core.errors import OutputError, WeightsError
from vidstyle.models.style.johnson import TransformerNet
from vidstyle.models.style.network import stylize
from vidstyle.models.style.style_file import (
    Credit,
    StyleInfo,
    load_style,
    read_style_info,
    save_style,
    stored_weights,
)
from vidstyle.models.weights import safetensors_file

Tensors = dict[str, torch.Tensor]
Header = dict[str, object]

INFO = StyleInfo(
    name="small-wave",
    credit=Credit("A small wave", "Nobody, Ölbild, 1900", "public domain"),
    architecture="johnson",
    width=2,
    settings={"iterations": 3, "style_layers": ["relu1_1"]},
    losses={"style": 0.25},
)


@pytest.fixture
def network() -> TransformerNet:
    made = TransformerNet(2)
    made.initialize(torch.Generator().manual_seed(0))
    return made


@pytest.fixture
def path(tmp_path: Path, network: TransformerNet) -> Path:
    file = tmp_path / "small-wave.safetensors"
    save_style(file, INFO, network)
    return file


def rewrite(path: Path, *, tensors: Tensors | None = None, header: Header | None = None) -> None:
    """Give the file other tensors or another header."""
    changed = json.loads(safetensors_file.read_metadata(path)["vidstyle"]) | (header or {})
    tensors = tensors or safetensors_file.read_tensors(path)
    safetensors_file.write(path, tensors, {"vidstyle": json.dumps(changed)})


def test_a_style_comes_back_as_it_was(path: Path, network: TransformerNet) -> None:
    style = load_style(path)
    assert style.info == INFO
    assert not style.module.training
    for key, value in style.module.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, network.state_dict()[key].half().float())
    images = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    network.load_state_dict({k: v.float() for k, v in stored_weights(network).items()})
    assert torch.equal(stylize(style.module, images), stylize(network.eval(), images))


def test_info_is_read_without_torch(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from vidstyle.models.style.style_file import *;"
        f"assert read_style_info(Path({str(path)!r})).name == 'small-wave';"
        "from vidstyle.models.style.styles import list_styles; list_styles();"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (load_style, read_style_info):
        with pytest.raises(WeightsError, match=r"wave\.safetensors is not there"):
            read(tmp_path / "wave.safetensors")


@pytest.mark.parametrize("read", [load_style, read_style_info])
@pytest.mark.parametrize("keep", [0, 4, 200, -1])
def test_a_file_cut_short_is_refused(path: Path, keep: int, read: Callable[[Path], object]) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(WeightsError, match="is damaged or not a safetensors file") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_pickle_that_carries_code_is_refused_unopened(tmp_path: Path) -> None:
    marker = tmp_path / "run"

    class Carrier:
        def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
            return Path.touch, (marker,)

    path = tmp_path / "wave.safetensors"
    path.write_bytes(pickle.dumps(Carrier()))
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load_style(path)
    torch.save({"weight": Carrier()}, path)
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load_style(path)
    assert not marker.exists()


def test_safetensors_without_our_header_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    safetensors_file.write(path, {"weight": torch.zeros(2)}, {})
    words = f"is not a style of vidstyle: .* import it by `vidstyle styles import {path} -o NAME"
    with pytest.raises(WeightsError, match=words):
        load_style(path)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("format", 1, "has format 1; this version of vidstyle reads 2"),
        ("architecture", "transformer", "has architecture 'transformer'; known: fast, johnson"),
        ("width", "16", "in its header, width: Input should be a valid integer"),
        ("width", 1_000_000, "in its header, width: Input should be less than or equal to 128"),
        ("settings", [3], "in its header, settings: Input should be a valid dictionary"),
        ("losses", {"style": "low"}, r"in its header, losses\.style: Input should be a valid"),
        ("surplus", 1, "in its header, surplus: Extra inputs are not permitted"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(
    path: Path, key: str, value: object, words: str
) -> None:
    rewrite(path, header={key: value})
    with pytest.raises(WeightsError, match=words):
        read_style_info(path)


@pytest.mark.parametrize("text", ["{", "3", "[]"])
def test_a_header_that_is_no_header_is_refused(path: Path, text: str) -> None:
    safetensors_file.write(path, safetensors_file.read_tensors(path), {"vidstyle": text})
    with pytest.raises(WeightsError, match=r"header is not JSON|has format None"):
        read_style_info(path)


def test_missing_and_unknown_weights_are_named(path: Path) -> None:
    tensors = safetensors_file.read_tensors(path)
    tensors["surplus"] = tensors.pop("output.bias")
    rewrite(path, tensors=tensors)
    with pytest.raises(WeightsError, match=r"lacks output\.bias and has unknown surplus"):
        load_style(path)


def test_weights_of_another_width_are_refused(path: Path) -> None:
    rewrite(path, header={"width": 3})
    with pytest.raises(WeightsError, match=r"is \(4, 8, 3, 3\); wanted \(6, 12, 3, 3\)"):
        load_style(path)


def test_weights_that_are_not_finite_are_refused(path: Path, network: TransformerNet) -> None:
    tensors = safetensors_file.read_tensors(path)
    tensors["output.bias"][1] = torch.nan
    rewrite(path, tensors=tensors)
    with pytest.raises(WeightsError, match=r"output\.bias has values that are not finite"):
        load_style(path)
    with torch.no_grad():
        network.output.bias.fill_(1e6)  # type: ignore[union-attr]  # the output has a bias
    with pytest.raises(ValueError, match=r"not finite as float16: output\.bias"):
        save_style(path, INFO, network)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    path: Path, network: TransformerNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left on device"):
        save_style(path, replace(INFO, name="newer"), network)
    assert read_style_info(path).name == "small-wave"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path, network: TransformerNet) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        save_style(tmp_path / "nowhere" / "wave.safetensors", INFO, network)
