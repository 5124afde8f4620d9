"""Headers are read without numbers, without torch, and without running what a file holds."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.headers import foreign_name, list_headers, read_header

WEIGHTS = OrderedDict(
    {
        "conv.weight": torch.zeros(4, 3, 2, 2).half(),
        "conv.bias": torch.nn.Parameter(torch.zeros(4)),
        "steps": torch.tensor(3),
    }
)
SHAPES = {"conv.weight": (4, 3, 2, 2), "conv.bias": (4,), "steps": ()}


@pytest.mark.parametrize("zipped", [True, False])
def test_keys_and_shapes_of_torch_files_are_read(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "any.pth"
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=zipped)
    header = read_header(path)
    assert dict(header.shapes) == SHAPES
    assert dict(header.metadata) == {}


def test_keys_shapes_and_metadata_of_safetensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "any.safetensors"
    safetensors_file.write(path, dict(WEIGHTS), {"input": "half-rgb"})
    header = read_header(path)
    assert dict(header.shapes) == SHAPES
    assert dict(header.metadata) == {"input": "half-rgb"}


def test_reading_needs_no_torch(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "any.pth")
    code = "import sys; from pathlib import Path;"
    code += "from vidstyle.models.weights.headers import list_headers;"
    code += "[header] = list_headers(Path(sys.argv[1]));"
    code += "sys.exit('torch' in sys.modules or len(header.shapes) != 3)"
    command = [sys.executable, "-c", code, str(tmp_path)]
    assert subprocess.run(command, check=False).returncode == 0


class Carrier:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_file_is_not_run(tmp_path: Path, zipped: bool) -> None:
    path, marker = tmp_path / "any.pth", tmp_path / "run"
    content = {"weight": torch.zeros(2), "other": Carrier(marker)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match="holds no weights by name"):
        read_header(path)
    assert not marker.exists()
    # It would have been run by a reader that trusts files.
    torch.load(path, weights_only=False)
    assert marker.exists()


def test_a_memo_of_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "any.pth"
    # An empty dictionary, to be remembered under the number 2 ** 31.
    hostile = b"\x80\x02}r\x00\x00\x00\x80."
    assert pickle.loads(hostile[:3] + b".") == {}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("any/data.pkl", hostile)
    with pytest.raises(ValueError, match="LONG_BINPUT 2147483648 is in no file of torch"):
        foreign_name(path)
    with pytest.raises(WeightsError):
        read_header(path)


@pytest.mark.parametrize("content", [[torch.zeros(1)], 3, "text"])
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "any.pth")
    with pytest.raises(WeightsError, match="holds no weights by name"):
        read_header(tmp_path / "any.pth")


def test_a_folder_lists_what_can_be_read(tmp_path: Path) -> None:
    torch.save(WEIGHTS, tmp_path / "b.pth")
    safetensors_file.write(tmp_path / "a.safetensors", dict(WEIGHTS), {})
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    (tmp_path / "broken.pth").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no weights")
    (tmp_path / "folder.pt").mkdir()
    buffer = io.BytesIO()
    torch.save(WEIGHTS, buffer)
    (tmp_path / "cut.pt").write_bytes(buffer.getvalue()[:300])
    assert [header.path.name for header in list_headers(tmp_path)] == ["a.safetensors", "b.pth"]
    assert list(list_headers(tmp_path / "none")) == []
