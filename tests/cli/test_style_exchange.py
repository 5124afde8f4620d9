"""Styles come from other projects, and go to other programs, by one command each."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import typer

from tests.models.original_networks import original_weights, with_statistics
from vidstyle.cli import style_exchange
from vidstyle.core.errors import OutputError, UsageError, VidstyleError, WeightsError
from vidstyle.models.style.style_file import Credit, load_style, read_style_info

app = typer.Typer()
app.command("import")(style_exchange.import_)
app.command("export")(style_exchange.export)


def run(*arguments: object) -> None:
    app([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def checkpoint(folder: Path) -> Path:
    path = folder / "Starry_Night 2.pth"
    torch.save(with_statistics(original_weights()), path)
    return path


def test_an_imported_style_is_written_and_explained(
    checkpoint: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = folder / "night.safetensors"
    credit = ["--title", "Night", "--credit", "Nobody, 1900", "--license", "public domain"]
    run("import", checkpoint, "-o", output, *credit)
    info = read_style_info(output)
    assert (info.name, info.architecture, info.width) == ("night", "johnson", 2)
    assert info.credit == Credit("Night", "Nobody, 1900", "public domain")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "recognized pytorch/examples fast_neural_style, 2 channels, resize convolution",
        "running statistics of old instance normalization: not used",
        f"wrote {output}",
    ]


def test_without_output_it_goes_where_styles_are_found_by_name(
    checkpoint: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vidstyle.models.style.styles import find_style

    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder))
    run("import", checkpoint)
    found = find_style("starry-night-2")
    assert found == folder / "styles" / "starry-night-2.safetensors"
    assert read_style_info(found).name == "starry-night-2"
    run("import", checkpoint, "--name", "night")
    assert load_style(find_style("night")).info.credit.title == "night"


def test_the_order_of_channels_can_be_given(checkpoint: Path, folder: Path) -> None:
    rgb, bgr = folder / "rgb.safetensors", folder / "bgr.safetensors"
    run("import", checkpoint, "-o", rgb)
    run("import", checkpoint, "-o", bgr, "--channels", "bgr")
    biases = [load_style(path).module.state_dict()["output.bias"] for path in (rgb, bgr)]
    assert torch.equal(biases[0], biases[1].flip(0))
    assert not torch.equal(biases[0], biases[1])


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ([], UsageError, r"Pass -o FILE\.safetensors, or set VIDSTYLE_WEIGHTS"),
        (["-o", "wave.pth"], UsageError, r"the output wave\.pth must end in \.safetensors"),
        (["-o", "no/wave.safetensors"], OutputError, "the folder no does not exist"),
        (["-o", "old.safetensors"], OutputError, "exists; pass --overwrite"),
        (["-o", "w.safetensors", "--name", "../up"], typer.BadParameter, "name is lower case"),
        (["-o", "w.safetensors", "--name", ""], typer.BadParameter, "name is lower case"),
    ],
)
def test_what_cannot_be_written_is_an_error_before_the_file_is_read(
    folder: Path, arguments: list[str], kind: type[Exception], words: str
) -> None:
    (folder / "old.safetensors").touch()
    with pytest.raises(kind, match=words):
        run("import", "nowhere.pth", *arguments)
    assert (folder / "old.safetensors").read_bytes() == b""


def test_a_weights_folder_that_is_not_there_is_an_error(
    checkpoint: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder / "nowhere"))
    with pytest.raises(OutputError, match="nowhere of VIDSTYLE_WEIGHTS does not exist"):
        run("import", checkpoint)


def test_an_old_style_is_replaced_only_when_asked(checkpoint: Path, folder: Path) -> None:
    output = folder / "night.safetensors"
    output.write_text("old")
    run("import", checkpoint, "-o", output, "--overwrite")
    assert read_style_info(output).name == "night"


def test_what_is_no_network_ends_in_the_code_for_weights(folder: Path) -> None:
    (folder / "wave.pth").write_bytes(b"\x80\x02")
    with pytest.raises(WeightsError, match=r"wave\.pth is damaged") as caught:
        run("import", "wave.pth", "-o", "wave.safetensors")
    assert caught.value.exit_code == 4
    assert [path.name for path in folder.iterdir()] == ["wave.pth"]


@pytest.mark.slow
def test_an_imported_style_is_exported(
    checkpoint: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import onnx

    run("import", checkpoint, "-o", "night.safetensors")
    capsys.readouterr()
    run("export", "night.safetensors", "-o", "night.onnx")
    properties = {p.key: p.value for p in onnx.load(folder / "night.onnx").metadata_props}
    assert properties["name"] == "night"
    assert capsys.readouterr() == (
        "",
        "takes RGB in [0, 1], (N, 3, H, W), any H and W from 8 on\nwrote night.onnx\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["night", "-o", "night.onnx"], "there is no style night", 4),
        (["night", "-o", "night.pb"], r"the output night\.pb must end in \.onnx", 2),
        (["night", "-o", "old.onnx"], "exists; pass --overwrite", 6),
        (["night", "-o", "no/night.onnx"], "the folder no does not exist", 6),
    ],
)
def test_an_export_that_cannot_be_is_one_line(
    folder: Path, arguments: list[str], words: str, code: int
) -> None:
    (folder / "old.onnx").touch()
    with pytest.raises(VidstyleError, match=words) as caught:
        run("export", *arguments)
    assert caught.value.exit_code == code
