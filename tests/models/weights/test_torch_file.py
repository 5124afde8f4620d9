"""Files of torch are read whatever their vintage, and nothing in one is run."""

from __future__ import annotations

import copy
import io
import pickle
import resource
import sys
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.weights.torch_file import read_content

WEIGHTS = OrderedDict(weight=torch.arange(6.0).reshape(2, 3), bias=torch.tensor([0.5, -1.0]))


@contextmanager
def memory_bounded(mebibytes: int = 40) -> Iterator[None]:
    """Fail where much more memory is used inside than before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        yield
    finally:
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < mebibytes << 10


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
    with pytest.raises(WeightsError, match=r"perhaps a program \(TorchScript\): in the"):
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
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            read_content(path)
        except WeightsError:
            refused += 1
    assert refused > 20


def rewritten(path: Path, edit: Callable[[str, bytes], bytes], **options: Any) -> None:
    """Put a file of torch together again, with its entries changed."""
    entries = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            entries[entry.filename] = edit(entry.filename.partition("/")[2], archive.read(entry))
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def with_pickle(path: Path, pickled: bytes) -> None:
    write_zip(path, WEIGHTS)
    rewritten(path, lambda name, content: pickled if name == "data.pkl" else content)


GIBIBYTE = pickle.dumps(1 << 30, protocol=2)[2:-1]


@pytest.mark.parametrize(
    "name",
    ["builtins\nbytearray", "torch\nTensor", "torch\nFloatTensor", "torch.storage\nUntypedStorage"],
)
def test_memory_by_a_number_in_the_file_is_refused_unmade(tmp_path: Path, name: str) -> None:
    path = tmp_path / "wave.pth"
    with_pickle(path, b"\x80\x02c" + name.encode() + b"\n" + GIBIBYTE + b"\x85R.")
    words = rf"holds more than weights \({name}\)".replace("\n", r"\.")
    with pytest.raises(WeightsError, match=words), memory_bounded():
        read_content(path)


@pytest.mark.parametrize("entry", ["data.pkl", "data/0"])
def test_an_archive_that_unpacks_to_more_is_refused_packed(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "wave.pth"
    write_zip(path, WEIGHTS)
    padding = bytes(1 << 26)
    rewritten(
        path,
        lambda name, content: content + padding if name == entry else content,
        compression=zipfile.ZIP_DEFLATED,
    )
    with pytest.raises(WeightsError, match="is a compressed archive"), memory_bounded():
        read_content(path)


def test_entries_that_lie_over_one_another_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "wave.pth"
    torch.save({"weight": torch.zeros(1000)}, path)
    with zipfile.ZipFile(path, "a") as archive:
        shared = archive.getinfo("wave/data/0")
        for number in range(1, 10):
            archive.filelist.append(again := copy.copy(shared))
            again.filename = f"wave/data/{number}"
        archive.writestr("wave/more", b"")
    with pytest.raises(WeightsError, match="is a compressed archive"):
        read_content(path)


def test_names_that_lead_out_of_the_archive_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "in" / "wave.pth"
    path.parent.mkdir()
    write_zip(path, WEIGHTS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("wave/../../escaped", b"out")
        archive.writestr("wave//../../../../../../../../tmp/escaped", b"out")
    assert isinstance(read_content(path), dict)
    assert [entry.name for entry in tmp_path.rglob("*")] == ["in", "wave.pth"]


@pytest.mark.parametrize("write", [write_zip, write_pickles])
def test_an_array_of_more_elements_than_are_stored_is_refused(
    tmp_path: Path, write: Callable[[Path, object], None]
) -> None:
    path = tmp_path / "wave.pth"
    write(path, {"state": [{"weight": torch.zeros(1).expand(1 << 20, 1 << 20)}]})
    with pytest.raises(WeightsError, match="arrays that are larger than what is stored"):
        read_content(path)


@pytest.mark.parametrize("write", [write_zip, write_pickles])
def test_a_shape_beyond_what_is_stored_takes_no_memory(
    tmp_path: Path, write: Callable[[Path, object], None]
) -> None:
    path = tmp_path / "wave.pth"
    write(path, WEIGHTS)
    # The shape (2, 3) and the strides (3, 1) of the pickled tensor, with 65535 for 2 and 3.
    shape, strides = (
        (b"K\x02K\x03\x86", b"M\xff\xffM\xff\xff\x86"),
        (b"K\x03K\x01\x86", b"M\xff\xffK\x01\x86"),
    )

    def enlarged(content: bytes) -> bytes:
        assert shape[0] in content
        return content.replace(*shape).replace(*strides)

    if write is write_zip:
        rewritten(path, lambda name, content: enlarged(content) if name == "data.pkl" else content)
    else:
        path.write_bytes(enlarged(path.read_bytes()))
    with pytest.raises(WeightsError), memory_bounded():
        read_content(path)


def test_lists_of_lists_of_lists_are_looked_through_once(tmp_path: Path) -> None:
    nested: list[object] = [torch.zeros(1)]
    for _ in range(60):
        nested = [nested, nested]
    torch.save(nested, tmp_path / "wave.pth")
    assert isinstance(read_content(tmp_path / "wave.pth"), list)


def test_a_file_too_large_for_weights_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "wave.pth"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(WeightsError, match="larger than 2 GiB, so it is no file of weights"):
        read_content(path)
