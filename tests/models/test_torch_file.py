"""Files of torch are read whatever their vintage, and nothing in one is run."""

from __future__ import annotations

import io
import pickle
import sys
import tarfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.torch_file import read_content

WEIGHTS = OrderedDict(weight=torch.arange(6.0).reshape(2, 3), bias=torch.tensor([0.5, -1.0]))


def write_by_the_first_torch(path: Path, weights: OrderedDict[str, torch.Tensor]) -> None:
    """A row of pickles and then the numbers, as torch 0.1 to 0.3 wrote them."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, item: Any) -> tuple[object, ...] | None:
            if not isinstance(item, Storage):
                return None
            return ("storage", torch.FloatStorage, item.key, "cpu", item.values.numel(), None)

        def reducer_override(self, item: Any) -> Any:
            if isinstance(item, torch.Tensor):
                storage = Storage(str(len(stored)), item.contiguous())
                stored.append(storage)
                arguments = (storage, 0, tuple(item.shape), tuple(item.contiguous().stride()))
                return torch._utils._rebuild_tensor, arguments
            return NotImplemented

    class Storage:
        def __init__(self, key: str, values: torch.Tensor) -> None:
            self.key, self.values = key, values

    stored: list[Storage] = []
    sizes = {"short": 2, "int": 4, "long": 4}
    with path.open("wb") as file:
        system = {"protocol_version": 1001, "little_endian": True, "type_sizes": sizes}
        for value in (0x1950A86A20F9469CFC6C, 1001, system):
            pickle.dump(value, file, protocol=2)
        Pickler(file, protocol=2).dump(weights)
        pickle.dump([storage.key for storage in stored], file, protocol=2)
        for storage in stored:
            file.write(storage.values.numel().to_bytes(8, sys.byteorder))
            file.write(storage.values.numpy().tobytes())


def write_zip(path: Path, content: object) -> None:
    torch.save(content, path)


def write_pickles(path: Path, content: object) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("write", [write_zip, write_pickles, write_by_the_first_torch])
def test_every_vintage_is_read(tmp_path: Path, write: Callable[[Path, Any], None]) -> None:
    path = tmp_path / "wave.pth"
    write(path, WEIGHTS)
    content = read_content(path)
    assert isinstance(content, dict)
    assert list(content) == list(WEIGHTS)
    assert all(torch.equal(content[key], WEIGHTS[key]) for key in WEIGHTS)


class Carrier:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("write", [write_zip, write_pickles])
def test_code_in_a_file_is_named_and_never_run(
    tmp_path: Path, write: Callable[[Path, object], None]
) -> None:
    marker, path = tmp_path / "run", tmp_path / "wave.pth"
    write(path, {"weight": torch.zeros(2), "other": Carrier(marker)})
    with pytest.raises(WeightsError, match=r"holds more than weights \(.*may be code") as caught:
        read_content(path)
    assert "\n" not in str(caught.value)
    assert not marker.exists()
    # It would have run.
    torch.load(path, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize("write", [write_zip, write_pickles])
def test_a_whole_network_is_refused_with_what_to_save_instead(
    tmp_path: Path, write: Callable[[Path, object], None]
) -> None:
    write(tmp_path / "wave.pth", torch.nn.Conv2d(3, 3, 3))
    words = r"more than weights \(torch\.nn\.modules\.conv\.Conv2d\).*state_dict\(\) alone$"
    with pytest.raises(WeightsError, match=words):
        read_content(tmp_path / "wave.pth")


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_a_torchscript_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wave.pt"
    traced = torch.jit.trace(torch.nn.Conv2d(1, 1, 1), torch.zeros(1, 1, 2, 2))
    torch.jit.save(traced, path)
    with pytest.raises(WeightsError, match=r"is a program \(TorchScript\), and only weights"):
        read_content(path)


def test_the_tar_format_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "wave.pth"
    with tarfile.open(path, "w") as file:
        for name in ("storages", "tensors", "pickle"):
            file.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(WeightsError, match="tar format of the first versions of torch: in the"):
        read_content(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"wave\.pth is not there"):
        read_content(tmp_path / "wave.pth")
    with pytest.raises(WeightsError, match="is not there, or is not a file"):
        read_content(tmp_path)


@pytest.mark.parametrize("write", [write_zip, write_pickles, write_by_the_first_torch])
def test_a_file_cut_short_anywhere_is_one_error(
    tmp_path: Path, write: Callable[[Path, Any], None]
) -> None:
    path = tmp_path / "wave.pth"
    write(path, WEIGHTS)
    whole = path.read_bytes()
    for kept in range(0, len(whole), 1 + len(whole) // 40):
        path.write_bytes(whole[:kept])
        with pytest.raises(WeightsError) as caught:
            read_content(path)
        assert "\n" not in str(caught.value)


def test_damage_anywhere_is_one_error_or_none(tmp_path: Path) -> None:
    path = tmp_path / "wave.pth"
    write_pickles(path, WEIGHTS)
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_content(path)
        except WeightsError:
            refused += 1
    assert refused > 20
