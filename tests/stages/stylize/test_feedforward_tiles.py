"""A budget that whole images do not fit into: the plan has tiles, and the video is the same."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch

from vidstyle.cli.main import run_command
from vidstyle.core.plan import Plan
from vidstyle.models.style.architectures import empty_network
from vidstyle.models.style.style_file import Credit, StyleInfo, save_style
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.job import Job, prepared
from vidstyle.runner.plan.resolve import make_plan

WIDTH, HEIGHT, COUNT = 960, 542, 2
PIPELINE = """\
version: 1
stages:
  - use: decode/pyav
  - use: stylize/feedforward
    style: STYLE
    backend: openvino
    precision: float32
  - use: encode/pyav
    codec: ffv1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a pipeline of a network so wide that it takes more than all else, and a clip."""
    network = empty_network("johnson", 32)
    network.initialize(torch.Generator().manual_seed(1))
    style = tmp_path / "wide.safetensors"
    save_style(style, StyleInfo("wide", Credit(), "johnson", 32), network)
    (tmp_path / "p.yaml").write_text(PIPELINE.replace("STYLE", str(style)))
    rough = np.random.default_rng(0).integers(0, 128, (HEIGHT, WIDTH, 3), np.uint8)
    down = np.linspace(0, 127, HEIGHT).astype(np.uint8)[:, None, None]
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=WIDTH, height=HEIGHT)
        stream.pix_fmt = "bgr0"
        for index in range(COUNT):
            frame = av.VideoFrame.from_ndarray(np.roll(rough, 16 * index, 1) + down, "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return tmp_path


def first_with_tiles(folder: Path) -> tuple[Plan, Plan]:
    """The plan that takes the least with whole images, and the first one in tiles."""
    pipeline = load_pipeline(folder / "p.yaml", registry=Registry())
    job = Job(pipeline, folder / "in.mkv", folder / "never.mkv", device="cpu")
    with prepared(job) as (assembly, plan):
        while plan.stages[0].position.tile is None:
            whole, plan = plan, make_plan(assembly, below=plan)
    return whole, plan


def frames(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


@pytest.mark.slow
def test_a_tight_budget_chooses_tiles_and_the_video_is_the_same(folder: Path) -> None:
    whole, tiled = first_with_tiles(folder)
    assert tiled.memory < whole.memory
    budget = -(-tiled.memory // 2**20)
    assert budget * 2**20 < whole.memory
    command = ["run", str(folder / "p.yaml"), str(folder / "in.mkv"), "--device", "cpu"]
    assert run_command([*command, "-o", str(folder / "whole.mkv")]) == 0
    tight = ["-o", str(folder / "tiled.mkv"), "--max-memory", f"{budget}M"]
    assert run_command([*command, *tight]) == 0
    first, second = frames(folder / "whole.mkv"), frames(folder / "tiled.mkv")
    assert first.shape == second.shape == (COUNT, HEIGHT, WIDTH, 3)
    assert first.std() > 10
    assert np.abs(first.astype(int) - second).max() <= 1
