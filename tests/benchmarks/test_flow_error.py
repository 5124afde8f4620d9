"""The table of flow errors has what the stages do, on a scene whose motion is exact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from vidstyle.core import HostArray
from vidstyle.imaging.flow_file import write_flow
from vidstyle.testing import pan

Load = Callable[[str], ModuleType]


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """One scene of a pan; outside of what both images show, motion is not known."""
    folder = tmp_path / "scenes" / "Pan"
    folder.mkdir(parents=True)
    clip = pan(frames=2, step=(3, -2))
    for name, index in (("frame10.png", 1), ("frame11.png", 0)):
        write(folder / name, clip.frames[index].host("source"))
    flow = clip.true_flow[1].copy()
    flow[:12] = flow[-12:] = flow[:, :12] = flow[:, -12:] = 1.67e9
    write_flow(folder / "flow10.flo", flow)
    return folder.parent


def write(path: Path, image: HostArray) -> None:
    assert cv2.imwrite(str(path), np.rint(image[..., ::-1] * 255).astype(np.uint8))


def rows(text: str) -> dict[str, tuple[float, float]]:
    """Error and time by method."""
    cells = [line.rsplit(maxsplit=2) for line in text.splitlines()[1:]]
    return {name.strip(): (float(error), float(time)) for name, error, time in cells}


def test_every_method_is_near_an_exact_motion(
    benchmark: Load, scenes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark("flow_error").main([str(scenes), "--repeats", "3"])
    captured = capsys.readouterr()
    found = rows(captured.out)
    assert len(found) == 10
    assert found["DIS medium"][0] < 0.2
    assert found["Farneback"][0] < 0.2
    # An error of 0 would be the known motion against itself. The compiled search is that near.
    assert found["DIS fast"][0] > 0
    others = [error for name, (error, _) in found.items() if name != "DIS fast"]
    assert min(others) > 0.01
    # At half size, of 64 pixels, there is less to go by.
    assert max(error for error, _ in found.values()) < 1.5
    assert min(time for _, time in found.values()) > 0
    assert "RAFT-small is left out: there are no weights of raft-small" in captured.err


def test_the_error_is_a_mean_over_known_motion(benchmark: Load, scenes: Path) -> None:
    module = benchmark("flow_error")
    (scene,) = module.read_scenes(scenes)
    stage = module.Farneback(module.FarnebackOptions())
    outcome = module.measured(stage, scene, repeats=1)
    difference = (module.run(stage, scene) - scene.flow).astype(np.float64)[12:-12, 12:-12]
    expected = np.sqrt((difference**2).sum(axis=2)).mean()
    assert outcome.error == pytest.approx(expected, rel=1e-5)


def test_a_folder_without_scenes_is_refused(
    benchmark: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        benchmark("flow_error").main([str(tmp_path)])
    assert "has no folder with frame10.png" in capsys.readouterr().err
