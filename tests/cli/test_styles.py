"""``vidstyle styles list``: what there is, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vidstyle.cli.main import run_command
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.style_file import Credit, StyleInfo, read_style_info, save_style
from vidstyle.models.style.styles import find_style
from vidstyle.models.weights import safetensors_file


def make_style(folder: Path, name: str, *, style_image: str = "Nobody, Stripes") -> Path:
    import torch

    network = empty_network("fast", 1)
    network.initialize(torch.Generator().manual_seed(0))
    credit = Credit("A title", style_image, "CC0")
    losses = {"style": 0.0625, "content": 0.5}
    path = folder / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_style(path, StyleInfo(name, credit, "fast", 1, {}, losses), network)
    return path


@pytest.fixture
def styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of styles."""
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(tmp_path))
    return tmp_path / "styles"


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    assert run_command(["styles", "list", "--json"]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_json_has_size_and_losses(styles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_style(styles, "stripes")
    [style] = [style for style in listed(capsys) if style["name"] == "stripes"]
    assert style == {
        "name": "stripes",
        "file": str(path),
        "title": "A title",
        "style_image": "Nobody, Stripes",
        "license": "CC0",
        "architecture": "fast-1",
        "bytes": path.stat().st_size,
        "losses": {"style": 0.0625, "content": 0.5},
        "int8_error": None,
    }


def test_people_are_shown_one_line_a_style(
    styles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_style(styles, "stripes", style_image="Somebody, A very long title " * 5)
    assert run_command(["styles", "list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["name", "network", "style", "loss", "8", "bits", "style", "image"]
    [line] = [line for line in lines if line.startswith("stripes ")]
    assert line.split()[:4] == ["stripes", "fast-1", "0.062", "Somebody,"]
    assert line.rstrip().endswith("(CC0)")


def test_what_8_bits_change_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["styles", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in ("great-wave", "udnie"):
        error = read_style_info(find_style(name)).int8_error
        assert error is not None
        [line] = [line for line in lines if line.startswith(f"{name} ")]
        assert line.split()[3] == f"{255 * error:.2f}"


def test_the_list_fits_a_window_of_80_columns(
    styles: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    make_style(styles, "stripes" * 12, style_image="Somebody, A very long title " * 5)
    (styles / "torn.safetensors").write_bytes(b"torn")
    assert run_command(["styles", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "".join(line.split()[0] for line in lines if line).count("stripes" * 12) == 1
    assert sum("fast-1        0.062          Somebody," in line for line in lines) == 1


def test_a_broken_style_is_listed_with_its_reason(
    styles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    styles.mkdir()
    (styles / "torn.safetensors").write_bytes(b"torn")
    [style] = [style for style in listed(capsys) if style["name"] == "torn"]
    assert set(style) == {"name", "file", "broken"}
    assert run_command(["styles", "list"]) == 0
    assert "BROKEN: " in capsys.readouterr().out


def test_a_style_cannot_write_to_the_terminal_what_it_likes(
    styles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_style(styles, "sly", style_image="\x1b[2Jgone [bold]not bold[/bold]\n\nnew line")
    assert run_command(["styles", "list"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"\x1b[2Jgone [bold]not bold[/bold]\n\nnew line" in out


def test_a_style_without_losses_is_listed(styles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_style(styles, "stripes")
    header = json.loads(safetensors_file.read_metadata(path)["vidstyle"])
    tensors = safetensors_file.read_tensors(path)
    safetensors_file.write(path, tensors, {"vidstyle": json.dumps({**header, "losses": {}})})
    assert run_command(["styles", "list"]) == 0
    [line] = [x for x in capsys.readouterr().out.splitlines() if x.startswith("stripes ")]
    assert line.split() == ["stripes", "fast-1", "Nobody,", "Stripes", "(CC0)"]
