"""Pairs of a video: as the flow stage finds them, kept once, and never across a cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch

from vidstyle.core.errors import InputError, OutputError, PipelineError
from vidstyle.imaging.flow_pair import both_ways, pair_layers
from vidstyle.stages.flow.farneback import FarnebackOptions, expansion_flow
from vidstyle.testing.clips import SyntheticClip, hard_cut, pan, render_scenes
from vidstyle.testing.scene import Scene, Surface, moves
from vidstyle.testing.textures import make_waves
from vidstyle.training import pair_cache
from vidstyle.training.pair_cache import open_pairs
from vidstyle.training.pairs import Pair
from vidstyle.training.video_pairs import VideoPairs, keep_pairs


def write(path: Path, made: SyntheticClip) -> Path:
    """Without loss, but for 8 bits."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = made.clip.width, made.clip.height, "bgr0"
        for frame in made.frames:
            image = np.rint(255 * frame.host("source")).astype(np.uint8)
            shown = av.VideoFrame.from_ndarray(image, "rgb24")
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Ten frames of 96x64, of which the sixth begins another shot."""
    return write(tmp_path / "two shots.mkv", hard_cut(frames=10, width=96, height=64, at=5))


def pairs(clip: Path, seed: int = 0, side: int = 48, **options: Any) -> VideoPairs:
    generator = np.random.default_rng(seed)
    return VideoPairs([clip], side, generator, cache=clip.parent / "cache", **options)


def test_the_cache_holds_what_the_stages_find(clip: Path) -> None:
    kept = open_pairs(keep_pairs(clip, clip.parent / "cache", flow="flow/farneback"))
    made = hard_cut(frames=10, width=96, height=64, at=5)
    source = [np.rint(255 * frame.host("source")) / 255 for frame in made.frames]
    source = [image.astype(np.float32) for image in source]
    assert kept.later == (1, 2, 3, 4, 6, 7, 8, 9)
    np.testing.assert_array_equal(kept.frames, np.rint(255 * np.stack(source)))
    layers = pair_layers(
        source[3], source[2], both_ways(lambda a, b: expansion_flow(a, b, FarnebackOptions()))
    )
    np.testing.assert_allclose(kept.flow[3], layers["flow"], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(kept.visible[3], 255 * layers["visible"], atol=0.51)
    assert not kept.flow[5].any()
    assert not kept.visible[5].any()


def test_no_pair_is_across_a_cut(clip: Path) -> None:
    made = hard_cut(frames=10, width=96, height=64, at=5)
    shots = [np.mean([f.host("source").mean((0, 1)) for f in made.frames[a:b]], 0)
             for a, b in ((0, 5), (5, 10))]  # fmt: skip
    pair = pairs(clip, side=64).draw(60)
    numbers = [
        [
            int(np.argmin([np.abs(p.mean((1, 2)).numpy() - shot).sum() for shot in shots]))
            for p in ps
        ]
        for ps in (pair.previous, pair.current)
    ]
    assert numbers[0] == numbers[1]
    assert set(numbers[0]) == {0, 1}


def test_the_flow_is_nearly_that_of_a_known_motion(tmp_path: Path) -> None:
    clip = write(tmp_path / "pan.mkv", pan(frames=5, width=128, height=96, step=(2.0, -1.0)))
    pair = pairs(clip, side=96).draw(8)
    error = (pair.flow.abs() - torch.tensor([2.0, 1.0])[:, None, None]).abs() * pair.visible
    assert float(error.sum() / pair.visible.sum() / 2) < 0.1
    assert float(pair.visible.mean()) > 0.85
    # And the images are those that it lies between.
    assert agreement(pair) < 0.3


def agreement(pair: Pair) -> float:
    """Difference of the warped previous images to the current ones, as a share of unwarped."""
    side = pair.flow.shape[-1]
    places = torch.arange(float(side))
    grid = torch.stack([pair.flow[:, 0] + places, pair.flow[:, 1] + places[:, None]], -1)
    warped = torch.nn.functional.grid_sample(
        pair.previous, 2 * grid / (side - 1) - 1, padding_mode="border", align_corners=True
    )
    errors = [
        ((image - pair.current).abs() * pair.visible).sum() for image in (warped, pair.previous)
    ]
    return float(errors[0] / errors[1])


def test_a_second_run_takes_what_the_first_has_kept(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pairs(clip).draw(4)
    monkeypatch.setattr("vidstyle.training.video_pairs.run", None)
    copy = clip.with_name("two shots.mkv")
    again = pairs(copy).draw(4)
    for name in ("previous", "current", "flow", "visible"):
        assert torch.equal(getattr(first, name), getattr(again, name))


def test_other_bytes_options_and_frames_are_kept_apart(clip: Path) -> None:
    cache = clip.parent / "cache"
    folders = [
        keep_pairs(clip, cache),
        keep_pairs(clip, cache, options={"preset": "ultrafast"}),
        keep_pairs(clip, cache, flow="flow/farneback"),
        keep_pairs(clip, cache, frames=(0, 4)),
    ]
    other = write(clip, pan(frames=4, width=96, height=64))
    folders.append(keep_pairs(other, cache))
    assert len(set(folders)) == 5
    assert {path for path in cache.iterdir() if path.name != ".vidstyle"} == set(folders)
    assert open_pairs(folders[3]).later == (1, 2, 3)


def test_draws_follow_from_the_generators_state_alone(clip: Path) -> None:
    generator = np.random.default_rng(0)
    source = VideoPairs([clip], 32, generator, cache=clip.parent / "cache")
    source.draw(5)
    state = generator.bit_generator.state
    ahead = source.draw(4)
    initial_state = np.random.default_rng(7)
    resumed = VideoPairs([clip], 32, initial_state, cache=clip.parent / "cache")
    initial_state.bit_generator.state = state
    again = resumed.draw(4)
    for name in ("previous", "current", "flow", "visible"):
        assert torch.equal(getattr(ahead, name), getattr(again, name))


def test_a_run_that_fails_leaves_nothing(clip: Path) -> None:
    cache = clip.parent / "cache"
    data = clip.read_bytes()
    clip.write_bytes(b"not a video")
    with pytest.raises(InputError, match="two shots"):
        keep_pairs(clip, cache)
    assert not list(cache.iterdir())
    clip.write_bytes(data)
    with pytest.raises(InputError, match=r"cannot read .*none\.mkv"):
        keep_pairs(clip.with_name("none.mkv"), cache)


def test_large_frames_are_reduced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pair_cache, "_SHORTER_SIDE", 48)
    made = pan(frames=3, width=128, height=96, step=(4.0, -2.0))
    kept = open_pairs(keep_pairs(write(tmp_path / "pan.mkv", made), tmp_path / "cache"))
    assert kept.frames.shape == (3, 48, 64, 3)
    small = cv2.resize(made.frames[1].host("source"), (64, 48), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(kept.frames[1], 255 * small, atol=1.01)
    middle = kept.flow[1, 12:36, 16:48].astype(np.float64).mean((0, 1))
    np.testing.assert_allclose(middle, (-2, 1), atol=0.1)


def test_chunks_do_not_cut_shots(tmp_path: Path) -> None:
    long = pan(frames=260, width=32, height=32, step=(0.25, 0.0))
    kept = open_pairs(keep_pairs(write(tmp_path / "long.mkv", long), tmp_path / "cache"))
    assert kept.later == tuple(range(1, 260))


def test_the_number_of_threads_stays_what_it_was(clip: Path) -> None:
    torch.set_num_threads(3)
    before = cv2.getNumThreads()
    keep_pairs(clip, clip.parent / "cache")
    assert (torch.get_num_threads(), cv2.getNumThreads()) == (3, before)


def test_wrong_stages_and_options_are_refused_before_anything_is_read(clip: Path) -> None:
    cache = clip.parent / "cache"
    with pytest.raises(PipelineError, match=r"there is no stage flow/dys.*flow/dis"):
        keep_pairs(clip, cache, flow="flow/dys")
    with pytest.raises(PipelineError, match=r"flow/dis.*preset.*fst"):
        keep_pairs(clip, cache, options={"preset": "fst"})
    with pytest.raises(PipelineError, match="reads the layers flow and visible, which no stage"):
        keep_pairs(clip, cache, flow="stylize/feedforward", options={"style": "great-wave"})


def test_a_clip_without_two_frames_in_one_shot_is_refused(tmp_path: Path) -> None:
    poses = moves([(0.0, 0.0)])
    scenes = [Scene((Surface(make_waves(n, tone=0.4 + 0.2 * n), poses),), 64, 48) for n in (0, 1)]
    clip = write(tmp_path / "slides.mkv", render_scenes(scenes))
    with pytest.raises(InputError, match="no clip has two frames in one shot"):
        pairs(clip)


def test_a_cache_that_cannot_be_made_is_an_output_error(clip: Path) -> None:
    with pytest.raises(OutputError, match="cannot make the folder"):
        keep_pairs(clip, clip / "cache")


def test_a_damaged_cache_says_so(clip: Path) -> None:
    folder = keep_pairs(clip, clip.parent / "cache")
    flow = folder / "flow.npy"
    data = flow.read_bytes()
    flow.write_bytes(data[:-100])
    with pytest.raises(InputError, match=r"cannot be used .*: remove it"):
        open_pairs(folder)
    flow.write_bytes(data)
    facts = json.loads((folder / "pairs.json").read_text())
    (folder / "pairs.json").write_text(json.dumps({**facts, "format": 0}))
    with pytest.raises(InputError, match="another version"):
        open_pairs(folder)


def test_pairs_of_a_real_clip_agree_with_their_flow(shared_data: Path, tmp_path: Path) -> None:
    clip = shared_data / "clips" / "tokenflow_woman-running.mp4"
    source = VideoPairs([clip], 128, np.random.default_rng(0), cache=tmp_path, frames=(0, 6))
    assert agreement(source.draw(6)) < 0.6
