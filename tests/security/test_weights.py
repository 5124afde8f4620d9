"""A file of weights or a style is data: nothing in it is run, and it takes no more memory."""

from __future__ import annotations

import json
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vidstyle.cli.main import run_command


class Carrier:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (Path("pwned"),)


def with_code(path: Path) -> None:
    torch.save({"weight": Carrier()}, path)


def with_code_of_old(path: Path) -> None:
    torch.save({"weight": Carrier()}, path, _use_new_zipfile_serialization=False)


def packed(path: Path) -> None:
    torch.save({"weight": torch.zeros(1 << 24)}, path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def spread(path: Path) -> None:
    torch.save({"weight": torch.zeros(1).expand(1 << 20, 1 << 20)}, path)


def cut_short(path: Path) -> None:
    torch.save({"weight": torch.zeros(100)}, path)
    path.write_bytes(path.read_bytes()[:-300])


def lying(path: Path) -> None:
    header = {"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    content = json.dumps(header).encode()
    path.write_bytes(len(content).to_bytes(8, "little") + content)


def with_a_long_header(path: Path) -> None:
    path.write_bytes((1 << 40).to_bytes(8, "little") + b"{")


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


WRITERS = (
    with_code,
    with_code_of_old,
    packed,
    spread,
    cut_short,
    lying,
    with_a_long_header,
    endless,
)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_hostile_file_is_refused_unrun_and_unpacked(
    folder: Path, capfd: pytest.CaptureFixture[str], write: Callable[[Path], None], suffix: str
) -> None:
    path = folder / f"wave.{suffix}"
    write(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run_command(["styles", "import", str(path), "-o", "out.safetensors"]) == 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10
    assert len(capfd.readouterr().err.splitlines()) == 1
    assert {found.name for found in folder.iterdir()} == {"p.yaml", "in.mp4", path.name}


@pytest.mark.parametrize("write", WRITERS)
def test_a_hostile_style_is_refused(folder: Path, write: Callable[[Path], None]) -> None:
    write(folder / "wave.safetensors")
    text = (folder / "p.yaml").read_text()
    stage = "  - use: stylize/feedforward\n    style: ./wave.safetensors\n  - use: encode"
    (folder / "p.yaml").write_text(text.replace("  - use: encode", stage))
    assert run_command(["run", "p.yaml", "in.mp4", "-o", "out.mkv"]) == 4
    assert not (folder / "pwned").exists()
    assert not (folder / "out.mkv").exists()
