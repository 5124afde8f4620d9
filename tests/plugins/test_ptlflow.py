"""ptlflow as a stage: the real library where it is installed, and a way to it where it is not."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import subprocess
import sys
import warnings
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vidstyle.core import Clip, ExecutionContext, Frame, HostArray, Window
from vidstyle.core.errors import PipelineError, PluginError, WeightsError
from vidstyle.runner.config.discovery import Registry
from vidstyle.testing import failed, pan, run_checks

PLUGINS = Path(__file__).parents[2] / "plugins"
INSTALLED = importlib.util.find_spec("ptlflow") is not None
pytestmark = pytest.mark.usefixtures("one_thread")
needs_ptlflow = pytest.mark.skipif(not INSTALLED, reason="ptlflow is not installed (README)")


@pytest.fixture(scope="module")
def stage() -> type[Any]:
    return Registry([PLUGINS]).find("flow/ptlflow")


@pytest.fixture(scope="module")
def ptlflow() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("ptlflow")


@pytest.fixture(scope="module")
def checkpoint(ptlflow: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_random_checkpoint(ptlflow, "raft_small", tmp_path_factory.mktemp("checkpoints"))


def write_random_checkpoint(ptlflow: Any, model: str, folder: Path) -> str:
    """Write random weights of the model in ptlflow's form, and return the path."""
    torch.manual_seed(0)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = ptlflow.get_model(model)
    path = folder / "random.ckpt"
    torch.save({"state_dict": network.state_dict()}, path)
    return str(path)


def clip_of(image: HostArray) -> Clip:
    return Clip(image.shape[1], image.shape[0], time_base=Fraction(1))


def on_device(image: HostArray) -> torch.Tensor:
    return torch.from_numpy(image.copy()).permute(2, 0, 1)


def run(cls: type[Any], now: HostArray, previous: HostArray, **options: object) -> Any:
    made = cls(cls.Options(model="raft_small", **options))
    made.open(clip_of(now), ExecutionContext())
    behind = (Frame(0, 0, 1, {"source": on_device(previous)}),)
    window = Window(Frame(1, 1, 1, {"source": on_device(now)}), made.options, behind)
    return made.step(window, None)[0]


def test_without_ptlflow_one_line_says_how_to_install_it(
    stage: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    made = stage(stage.Options(model="raft", checkpoint="things"))
    words = r"pip install 'vidstyle\[ptlflow\]', then pip install --no-deps 'ptlflow>=0\.4\.2"
    with pytest.raises(PluginError, match=words) as raised:
        made.describe(Clip(64, 64, time_base=Fraction(1)))
    assert "\n" not in str(raised.value)
    assert PluginError.exit_code == 5


def test_looking_at_the_stage_imports_neither_torch_nor_ptlflow() -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from vidstyle.runner.config.discovery import Registry;"
        f"stage = Registry([Path({str(PLUGINS)!r})]).find('flow/ptlflow');"
        "stage(stage.Options(model='raft', checkpoint='things'));"
        "sys.exit(any(name in sys.modules for name in ('torch', 'ptlflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@needs_ptlflow
@pytest.mark.slow
def test_ptlflow_keeps_the_contract(stage: type[Any], ptlflow: Any, tmp_path: Path) -> None:
    # The fastest model: the suite computes more than a hundred pairs.
    checkpoint = write_random_checkpoint(ptlflow, "rapidflow_it1", tmp_path)
    options = {"model": "rapidflow_it1", "checkpoint": checkpoint, "directions": "both"}
    assert failed(run_checks(stage, options)) == {}


@needs_ptlflow
@pytest.mark.slow
@pytest.mark.parametrize("side", [1, 48])
def test_images_below_the_least_side_of_a_model_have_flow(
    stage: type[Any], checkpoint: str, side: int
) -> None:
    now, previous = np.random.default_rng(0).random((2, side, side + 1, 3), np.float32)
    flow = run(stage, now, previous, checkpoint=checkpoint)["flow"]
    assert flow.shape == (side, side + 1, 2)
    assert np.isfinite(flow).all()
    assert np.abs(flow).max() > 0


@needs_ptlflow
@pytest.mark.slow
def test_flow_is_what_ptlflow_itself_gives(
    stage: type[Any], checkpoint: str, ptlflow: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = pan(frames=2, width=160, height=136)
    now, previous = (clip.frames[i].host("source") for i in (1, 0))
    layers = run(stage, now, previous, checkpoint=checkpoint, directions="both")
    assert capsys.readouterr().out == ""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = ptlflow.get_model("raft_small", ckpt_path=checkpoint).eval()
        for name, (first, second) in {
            "flow": (now, previous),
            "flow_from_previous": (previous, now),
        }.items():
            images = torch.stack([on_device(one[..., ::-1]) for one in (first, second)])[None]
            with torch.inference_mode():
                found = network({"images": images})["flows"][0, 0].permute(1, 2, 0).numpy()
            assert np.abs(found).max() > 0.1
            np.testing.assert_allclose(layers[name], found, rtol=1e-4, atol=1e-3)


@needs_ptlflow
@pytest.mark.slow
def test_while_frames_are_made_others_may_print(
    stage: type[Any], checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = stage(stage.Options(model="raft_small", checkpoint=checkpoint))
    image = pan(frames=1).frames[0].host("source")
    made.open(clip_of(image), ExecutionContext())
    streams: list[object] = []
    # Called by the network in the middle of a step, as another thread would at that time.
    made._network.register_forward_pre_hook(lambda *_: streams.append(sys.stdout))
    frames = [Frame(i, i, 1, {"source": on_device(image)}) for i in (0, 1)]
    made.step(Window(frames[1], made.options, (frames[0],)), None)
    assert streams == [sys.stdout]
    assert capsys.readouterr().out == ""


@needs_ptlflow
@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"model": "rafft", "checkpoint": "things"},
            PipelineError,
            r"no model rafft: did you .*raft",
        ),
        (
            {"model": "raft", "checkpoint": "thinks"},
            WeightsError,
            "thinks is no file, nor among.*things",
        ),
        (
            {"model": "raft_small", "checkpoint": "things", "offline": True},
            WeightsError,
            r"fetch https://.*raft_small-things-b7d9f997\.ckpt and put it into .*checkpoints",
        ),
    ],
)
def test_what_there_is_not_is_named(
    stage: type[Any],
    options: dict[str, object],
    error: type[Exception],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    made = stage(stage.Options(**options))
    with pytest.raises(error, match=words):
        made.open(Clip(64, 64, time_base=Fraction(1)), ExecutionContext())


@needs_ptlflow
@pytest.mark.slow
def test_a_checkpoint_of_another_model_is_refused(stage: type[Any], checkpoint: str) -> None:
    made = stage(stage.Options(model="raft", checkpoint=checkpoint))
    with pytest.raises(WeightsError, match=r"cannot load the checkpoint .*random\.ckpt"):
        made.open(Clip(64, 64, time_base=Fraction(1)), ExecutionContext())
