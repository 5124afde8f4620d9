"""What was computed once is looked up, and the frames stay those of a run without a cache."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.core.errors import OutputError
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.engines import EngineName as Engine
from vidstyle.runner.execution.events import NoteEvent, Result
from vidstyle.runner.job import Job, run
from vidstyle.runner.storage.layer_cache import LayerCache

COUNT = 12
PIPELINE = """\
version: 1
stages:
  - use: decode/pyav
  - use: shots/histogram
  - use: flow/dis
    preset: ultrafast
  - use: stylize/counted
    amount: {at: {0s: 0.2, 0.2s: 0.7}}
  - use: blend/warped
    strength: STRENGTH
  - use: encode/pyav
    codec: ffv1
"""
STYLIZER = '''
from pathlib import Path
from vidstyle.core import NOW, BaseStage, Needs, StageOptions, keyframed

class Counted(BaseStage):
    """Inverts a part, and leaves a mark for each step."""

    class Options(StageOptions):
        amount: float = keyframed(0.5, ge=0, le=1)

    needs = Needs(reads={"image": NOW}, writes=("image",), home="HOME")

    def step(self, window, state):
        with Path(__file__).with_name("steps").open("a") as marks:
            marks.write("x")
        image = window.now.HOME_LAYER("image")
        return {"image": image + window.options.amount * (1 - 2 * image)}, state

STAGE = Counted
'''
HOMES = {"host": "host", "device": "tensor"}


@pytest.fixture(params=HOMES)
def plugin(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "plugins" / "stylize"
    folder.mkdir(parents=True)
    text = STYLIZER.replace("HOME_LAYER", HOMES[request.param]).replace("HOME", request.param)
    (folder / "counted.py").write_text(text)
    return folder


@pytest.fixture
def job(tmp_path: Path, plugin: Path) -> Callable[..., Job]:
    """A run of a clip of a texture that moves, with one cut."""
    textures = np.random.default_rng(0).integers(0, 255, (2, 80, 160, 3), np.uint8)
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=96, height=64)
        stream.pix_fmt = "bgr0"
        for index in range(COUNT):
            window = textures[int(index >= COUNT // 2)][8:72, index : index + 96]
            image = av.VideoFrame.from_ndarray(np.ascontiguousarray(window), "rgb24")
            image.pts = index
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))

    def make(name: str, *, strength: float = 0.8, cache: Path | None = None) -> Job:
        (tmp_path / "p.yaml").write_text(PIPELINE.replace("STRENGTH", str(strength)))
        registry = Registry([tmp_path / "plugins"])
        pipeline = load_pipeline(tmp_path / "p.yaml", registry=registry)
        return Job(
            pipeline, tmp_path / "in.mkv", tmp_path / f"{name}.mkv", overwrite=True, cache=cache
        )

    return make


def steps(plugin: Path) -> int:
    """How often the stylizer was asked since the last look."""
    marks = plugin / "steps"
    count = len(marks.read_text()) if marks.exists() else 0
    marks.write_text("")
    return count


def heard(wanted: Job, engine: Engine = "threaded") -> tuple[Result, str]:
    """The result, and what was noted of the cache."""
    texts: list[str] = []

    def listen(event: object) -> None:
        if isinstance(event, NoteEvent) and event.note.kind == "cache":
            texts.append(event.note.text)

    return run(replace(wanted, engine=engine), listen=listen), " ".join(texts)


@pytest.mark.parametrize("engine", ["serial", "threaded"])
def test_a_changed_blend_computes_neither_flow_nor_stylization(
    tmp_path: Path, plugin: Path, job: Callable[..., Job], engine: Engine
) -> None:
    cache = tmp_path / "cache"
    plain = {strength: run(job("plain", strength=strength)).digest for strength in (0.8, 0.3)}
    assert plain[0.8] != plain[0.3]
    steps(plugin)
    cold, texts = heard(job("cold", cache=cache), engine)
    assert (cold.digest, steps(plugin)) == (plain[0.8], COUNT)
    assert texts == f"cache: reused 0 results, stored {2 * COUNT}"
    warm, texts = heard(job("warm", strength=0.3, cache=cache), engine)
    assert (warm.digest, steps(plugin)) == (plain[0.3], 0)
    assert texts == f"cache: reused {2 * COUNT} results, stored 0"


def test_another_interval_finds_the_frames_that_it_shares(
    tmp_path: Path, plugin: Path, job: Callable[..., Job]
) -> None:
    heard(job("whole", cache=tmp_path / "cache"))
    part = replace(job("part"), frames=(3, 9))
    steps(plugin)
    plain = run(part).digest
    assert steps(plugin) == 6
    result, _ = heard(replace(part, output=tmp_path / "again.mkv", cache=tmp_path / "cache"))
    assert result.digest == plain
    # The amount changes with time from the interval's start, and is the same in the last frame.
    assert steps(plugin) == 5


def test_changed_code_is_another_stage(
    tmp_path: Path, plugin: Path, job: Callable[..., Job]
) -> None:
    heard(job("first", cache=tmp_path / "cache"))
    code = plugin / "counted.py"
    code.write_text(code.read_text().replace("1 - 2 * image", "0.5 - image"))
    changed, _ = heard(job("second", cache=tmp_path / "cache"))
    assert changed.digest == run(job("plain")).digest


def test_damaged_and_truncated_files_are_computed_again(
    tmp_path: Path, plugin: Path, job: Callable[..., Job]
) -> None:
    cold, _ = heard(job("cold", cache=tmp_path / "cache"))
    files = sorted((tmp_path / "cache").glob("*/*.layers"))
    assert len(files) == 2 * COUNT
    for number, file in enumerate(files):
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data if number % 3 else data[: number * 100])
    again, texts = heard(job("again", cache=tmp_path / "cache"))
    assert again.digest == cold.digest
    assert texts.startswith("cache: reused 0 results")


def test_the_folder_stays_within_its_limit_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    layer = np.zeros((64, 64), np.float32)
    cache = LayerCache(tmp_path, limit=10 * (layer.nbytes + 200))
    for number in range(40):
        cache.put(f"{number:064d}", {"a": layer + number})
        os.utime(cache._path(f"{number:064d}"), ns=(number, number))
        assert sum(file.stat().st_size for file in tmp_path.glob("*/*")) <= 11 * 16600
        cache.get(f"{0:064d}")
    first, last = cache.get(f"{0:064d}"), cache.get(f"{39:064d}")
    assert first is not None
    assert last is not None
    np.testing.assert_array_equal(last["a"], layer + 39)
    assert cache.get(f"{5:064d}") is None


def test_a_folder_that_may_only_be_read_is_looked_up_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LayerCache(tmp_path).put(f"{0:064d}", {"a": np.ones((8, 8), np.float32)})

    def refused(path: Path) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(os, "utime", refused)
    assert LayerCache(tmp_path).get(f"{0:064d}") is not None


def test_what_a_killed_run_left_half_written_is_removed_an_hour_later(tmp_path: Path) -> None:
    (tmp_path / "00").mkdir()
    old, new = (tmp_path / "00" / name for name in ("old.part", "new.part"))
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    LayerCache(tmp_path).put(f"{0:064d}", {"a": np.ones((8, 8), np.float32)})
    assert sorted(file.suffix for file in (tmp_path / "00").iterdir()) == [".layers", ".part"]
    assert new.exists()


def test_a_clip_that_takes_more_than_the_limit_is_reported(
    tmp_path: Path, plugin: Path, job: Callable[..., Job]
) -> None:
    small = replace(job("small", cache=tmp_path / "cache"), cache_limit=400_000)
    assert "more than --cache-size (0.381 MiB)" in heard(small)[1]


def test_two_runs_at_once_share_a_folder(
    tmp_path: Path, plugin: Path, job: Callable[..., Job]
) -> None:
    wanted = [job(name, cache=tmp_path / "cache") for name in ("a", "b")]
    # Room for less than one run needs: they also remove each other's files.
    found: list[str] = []
    runs = [
        threading.Thread(target=lambda w=one: found.append(run(w).digest))
        for one in [replace(w, cache_limit=400_000) for w in wanted]
    ]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert found == [run(job("plain")).digest] * 2


def test_a_folder_that_cannot_be_written_costs_the_cache_and_not_the_run(
    tmp_path: Path, plugin: Path, job: Callable[..., Job]
) -> None:
    with pytest.raises(OutputError, match="cannot be made"):
        run(job("out", cache=tmp_path / "in.mkv" / "cache"))
    cache = tmp_path / "cache"
    cache.mkdir()
    for number in range(256):
        (cache / f"{number:02x}").write_text("in the way")
    result, texts = heard(job("out", cache=cache))
    assert "nothing more is kept" in texts
    assert result.digest == run(job("plain")).digest
