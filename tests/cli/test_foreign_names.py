"""No command hands the terminal what a file is called or says of itself, unescaped."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.cli.test_styles import make_style
from tests.cli.test_terminal import is_quiet
from tests.models.original_networks import original_weights
from vidstyle.cli.main import run_command

SLY = "sly\x1b]0;pwned\x07\x9b2J\n"
"""Sets the title of a window, clears the screen, and ends the line."""
PLUGIN = f"""
from pydantic import Field
from vidstyle.core import NOW, BaseStage, Needs, StageOptions

class SlyOptions(StageOptions):
    amount: float = Field(1.0, description={SLY!r})

class Sly(BaseStage[SlyOptions]):
    Options = SlyOptions
    needs = Needs(reads={{"mask": NOW, "image": NOW}}, writes=("image",))

    def step(self, window, state):
        return {{"image": window.now.host("image")}}, state

Sly.__doc__ = {SLY!r}
STAGE = Sly
"""
SIDED = """\
version: 1
inputs: {mask: mask.png}
stages:
  - use: decode/pyav
  - use: filter/sly
  - use: encode/pyav
    codec: ffv1
"""
OURS = ["--plugins", SLY]
STYLE = f"{SLY}.safetensors"
COMMANDS = {
    "run": (0, ["run", "identity.yaml", SLY, "-o", f"{SLY}.mkv"]),
    "run --dry-run": (
        0,
        ["run", f"{SLY}/sided.yaml", "in.mp4", "-o", f"{SLY}.mkv", "--dry-run", *OURS],
    ),
    "batch": (7, ["batch", "identity.yaml", SLY, "-o", f"out{SLY}"]),
    "batch --json": (7, ["batch", "identity.yaml", SLY, "-o", f"out{SLY}", "--json"]),
    "bench": (2, ["bench", SLY, "in.mp4"]),
    "check": (0, ["check", f"{SLY}/identity.yaml"]),
    "check INPUT": (0, ["check", f"{SLY}/sided.yaml", "in.mp4", *OURS]),
    "check, none": (2, ["check", SLY]),
    "stages list": (0, ["stages", "list", *OURS]),
    "stages show": (0, ["stages", "show", "filter/sly", *OURS]),
    "stages show, none": (2, ["stages", "show", SLY]),
    "schema": (0, ["schema", *OURS]),
    "styles list": (0, ["styles", "list"]),
    "styles list --json": (0, ["styles", "list", "--json"]),
    "styles preview": (0, ["styles", "preview", f"{SLY}.png", "-o", f"{SLY}s.png", "--size", "16"]),
    "styles import": (0, ["styles", "import", f"{SLY}.pth", "-o", STYLE]),
    "styles import, none": (4, ["styles", "import", SLY, "-o", STYLE]),
    "styles export, none": (4, ["styles", "export", SLY, "-o", f"{SLY}.onnx"]),
    "styles train": (
        3,
        ["styles", "train", f"{SLY}.png", "--photos", f"{SLY}/filter", "-o", STYLE, "--resume"],
    ),
    "evaluate": (
        0,
        ["evaluate", f"{SLY}/in.mp4", f"{SLY}/in.mp4", "--evaluator", "dis", "-o", f"{SLY}.json"],
    ),
    "evaluate, none": (3, ["evaluate", "in.mp4", SLY]),
    "no command": (2, [SLY]),
    "no option": (2, ["check", f"--{SLY}"]),
}
"""Exit code and words of calls that each have to show something odd."""


@pytest.fixture
def sly(folder: Path, write_clip, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]  # a fixture
    """In the current folder: files that are called, and say of themselves, odd things."""
    write_clip(folder / "in.mp4", count=3)
    inner = folder / SLY
    (inner / "filter").mkdir(parents=True)
    (inner / "filter" / "sly.py").write_text(PLUGIN)
    (inner / "filter" / "broken.py").write_text(f"raise ValueError({SLY!r})")
    (inner / "sided.yaml").write_text(SIDED)
    (inner / "identity.yaml").write_text((folder / "identity.yaml").read_text())
    os.link(folder / "in.mp4", inner / "in.mp4")
    (inner / f"{SLY}.mp4").write_bytes(b"no clip")
    (inner / f"{SLY}.txt").write_bytes(b"no clip")
    _, image = cv2.imencode(".png", np.full((128, 160, 3), 90, np.uint8))
    for path in (inner / "mask.png", folder / f"{SLY}.png"):
        path.write_bytes(image.tobytes())
    torch.save(original_weights(), folder / f"{SLY}.pth")
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(folder))
    monkeypatch.setenv("VIDSTYLE_CACHE", str(folder / "cache"))
    make_style(folder / "styles", "stripes", style_image=SLY)
    (folder / "styles" / STYLE).write_bytes(b"no style")


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.usefixtures("sly")
def test_no_command_writes_what_a_terminal_obeys(
    capfdbinary: pytest.CaptureFixture[bytes], name: str
) -> None:
    code, arguments = COMMANDS[name]
    assert run_command(arguments) == code
    output = b"".join(capfdbinary.readouterr())
    assert is_quiet(output.decode()), output
    # A table may break a name between lines.
    shown = b"".join(output.split())
    assert rb"\x1b]0;pwned\x07" in shown or rb"\u001b]0;pwned\u0007" in shown, output
