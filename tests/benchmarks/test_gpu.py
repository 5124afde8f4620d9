"""The GPU's rates: measured by the same code on the processor, and a line where there is no GPU."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from vidstyle.models.weights import safetensors_file

Load = Callable[[str], ModuleType]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_it_says_so(benchmark: Load, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark("gpu").main([]) == 8
    printed = capsys.readouterr()
    assert printed.err == "--device cuda: this machine has 0 usable GPUs; use cpu\n"
    assert not printed.out


def test_work_is_that_of_the_published_network(benchmark: Load) -> None:
    count = benchmark("gpu").flops
    assert count(32, 360, 640) == pytest.approx(70.9e9, rel=0.01)
    assert count(32, 1080, 1920) == pytest.approx(638e9, rel=0.01)


@pytest.mark.slow
def test_every_rate_is_printed(
    benchmark: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from torchvision.models.optical_flow import raft_small

    weights = tmp_path / "raft.safetensors"
    safetensors_file.write(weights, raft_small(weights=None, progress=False).state_dict(), {})
    given = ["--device", "cpu", "--size", "64x48", "--frames", "8", "--width", "2", "--side", "64"]
    assert benchmark("gpu").main([*given, "--weights", str(weights)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "processor"
    assert re.fullmatch(
        r"stylizer alone, 64x48, johnson-2 in float32: [\d.]+ frames/s, \d+ GFLOP a frame:"
        r" [\d.]+ TFLOP/s, \d+ % of a matrix product's [\d.]+",
        lines[1],
    )
    for flow, line in zip(("flow/dis", "flow/raft"), lines[2:], strict=True):
        found = re.fullmatch(
            rf"pipeline without encoder, {flow} at half size: ([\d.]+) frames/s", line
        )
        assert found
        assert float(found[1]) > 0
