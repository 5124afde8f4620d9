"""What a run needs is found on another machine, or copied there once, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core.plan import Plan
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution import shipment
from vidstyle.runner.execution.shipment import (
    Shipment,
    copy_here,
    list_shipments,
    localize,
    missing_here,
)
from vidstyle.runner.execution.work import Work, run_work
from vidstyle.runner.job import Job, prepared

PIPELINE = """\
version: 1
inputs: {mask: mask.png}
stages:
  - use: decode/pyav
  - use: filter/tinted
    table: colors/table.txt
    mask: mask
  - use: encode/pyav
    codec: ffv1
"""
PLUGIN = """
from pathlib import Path
from vidstyle.core import NOW, BaseStage, Needs, StageOptions, layer_or_file

class Tinted(BaseStage):
    class Options(StageOptions):
        table: str = ""
        mask: str | None = layer_or_file()

    @property
    def needs(self):
        return Needs(reads={"image": NOW, self.options.mask: NOW}, writes=("image",))

    def files(self):
        return [Path(__file__).parents[2] / "cache" / "tint.weights"]

    def step(self, window, state):
        tint = float(Path(self.options.table).read_text())
        mask = window.now.host(self.options.mask)
        return {"image": window.now.host("image") * (1 - mask[..., None] * tint)}, None

STAGE = Tinted
"""


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, Work]:
    """A run in a folder whose files it names relatively."""
    home = tmp_path / "home"
    for name, text in {
        "plugins/filter/tinted.py": PLUGIN,
        "p.yaml": PIPELINE,
        "colors/table.txt": "0.5",
        "cache/tint.weights": "weights",
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    monkeypatch.chdir(home)
    # ``localize`` sets it for a whole worker process: no later test may look into this folder.
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", "")
    image = np.random.default_rng(0).integers(0, 255, (16, 32, 3), np.uint8)
    for name, codec in (("mask.png", "png"), ("in.mkv", "ffv1")):
        with av.open(name, "w", **({"format": "image2"} if codec == "png" else {})) as container:
            stream = container.add_stream(codec, width=32, height=16)
            stream.pix_fmt = "rgb24" if codec == "png" else "bgr0"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
            container.mux(stream.encode(None))
    pipeline = load_pipeline(Path("p.yaml"), registry=Registry([Path("plugins")]))
    with prepared(Job(pipeline, Path("in.mkv"), Path("out.mkv"))) as (_, plan):
        return plan, Work(Path("in.mkv"))


def copy_all(shipments: Sequence[Shipment], folder: Path) -> None:
    for number in missing_here(shipments, folder):
        copy_here(shipments[number], folder, shipments[number].pieces())


def test_all_that_a_run_reads_is_listed(sent: tuple[Plan, Work]) -> None:
    names = [Path(each.name).name for each in list_shipments(*sent)]
    assert names == ["in.mkv", "plugins", "mask.png", "table.txt", "tint.weights"]


def test_files_that_lie_there_are_not_sent(sent: tuple[Plan, Work], tmp_path: Path) -> None:
    shipments = list_shipments(*sent)
    assert missing_here(shipments, tmp_path / "copies") == []
    plan, work = localize(*sent, shipments, tmp_path / "copies")
    assert work.input == Path("in.mkv").absolute()
    assert plan.stages[0].options["table"] == str(Path("colors/table.txt").absolute())


def test_a_run_with_copies_gives_the_same_frames(
    sent: tuple[Plan, Work], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipment, "PIECE", 100)
    shipments, copies = list_shipments(*sent), tmp_path / "copies"
    wanted = run_work(*sent)
    copies.mkdir()
    pieces = [list(each.pieces()) for each in shipments]
    (tmp_path / "home").rename(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    missing = missing_here(shipments, copies)
    assert missing == list(range(len(shipments)))
    for number in missing:
        copy_here(shipments[number], copies, pieces[number])
    assert missing_here(shipments, copies) == []
    plan, work = localize(*sent, shipments, copies)
    assert run_work(plan, work).chunks == wanted.chunks
    weights = Path(os.environ["VIDSTYLE_WEIGHTS"])
    assert (weights / "tint.weights").read_text() == "weights"


def test_a_file_that_differs_is_sent(sent: tuple[Plan, Work], tmp_path: Path) -> None:
    shipments = list_shipments(*sent)
    os.utime("in.mkv", ns=(1, 1))
    assert missing_here(shipments, tmp_path) == [0]
    Path("plugins/filter/more.py").write_text("")
    assert missing_here(list_shipments(*sent), tmp_path) == []


def test_a_copy_that_was_interrupted_is_made_again(sent: tuple[Plan, Work], tmp_path: Path) -> None:
    clip = replace(list_shipments(*sent)[0], path=str(tmp_path / "gone" / "in.mkv"))
    whole = Path("in.mkv").read_bytes()

    def broken() -> object:
        yield 0, whole[:50]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        copy_here(clip, tmp_path, broken())  # type: ignore[arg-type]  # it never ends
    assert missing_here([clip], tmp_path) == [0]
    copy_here(clip, tmp_path, [(0, whole[:70]), (0, whole[70:])])
    assert missing_here([clip], tmp_path) == []
    assert (tmp_path / clip.key / "in.mkv").read_bytes() == whole
