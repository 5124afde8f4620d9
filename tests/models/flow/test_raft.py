"""RAFT equals torchvision's own, meets published accuracy, and finds its weights in order."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from vidstyle.core import HostArray
from vidstyle.core.errors import WeightsError
from vidstyle.imaging.flow_file import end_point_error, read_flow
from vidstyle.models.flow import raft_setup
from vidstyle.models.flow.raft import load_raft
from vidstyle.models.flow.raft_setup import RaftSize, find_raft
from vidstyle.models.weights import safetensors_file
from vidstyle.models.weights.catalog import CATALOG, WeightFile

SMALL = "raft_small_torchvision.safetensors"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, of the test's own; it does not exist yet."""
    monkeypatch.setenv("VIDSTYLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VIDSTYLE_WEIGHTS", raising=False)
    return tmp_path / "cache" / "weights"


def untrained(size: RaftSize) -> torch.nn.Module:
    """Torchvision's own network with random weights."""
    from torchvision.models import optical_flow

    torch.manual_seed(0)
    make = {"small": optical_flow.raft_small, "large": optical_flow.raft_large}[size]
    return make(weights=None, progress=False).eval()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Random weights of the small network."""
    safetensors_file.write(tmp_path / SMALL, untrained("small").state_dict(), {})
    return tmp_path / SMALL


def images(height: int, width: int) -> tuple[HostArray, HostArray]:
    random = np.random.default_rng(0).random((height + 8, width + 8, 3), dtype=np.float32)
    whole = cv2.GaussianBlur(random, (0, 0), 2)
    return whole[4:-4, 4:-4].copy(), whole[3:-5, 6:-2].copy()


def torchvision_flow(network: torch.nn.Module, first: HostArray, second: HostArray) -> HostArray:
    """One direction by torchvision's own loop, 12 times."""
    height, width = first.shape[:2]
    missing = (0, max(128 - width, -width % 8), 0, max(128 - height, -height % 8))
    pair = (
        functional.pad(
            torch.from_numpy(one).permute(2, 0, 1)[None] * 2 - 1, missing, mode="replicate"
        )
        for one in (first, second)
    )
    with torch.inference_mode():
        flow = network(*pair)[-1]
    return flow[0, :, :height, :width].permute(1, 2, 0).numpy()


@pytest.mark.parametrize(
    ("size", "shape"), [("small", (131, 150)), ("small", (5, 200)), ("large", (128, 140))]
)
def test_both_ways_equal_two_calls_of_torchvisions_own(
    size: RaftSize, shape: tuple[int, int], tmp_path: Path
) -> None:
    network = untrained(size)
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    first, second = images(*shape)
    raft = load_raft(size, weights=tmp_path / "weights.pth")
    forward, backward = raft.flows(first, second)
    for found, pair in ((forward, (first, second)), (backward, (second, first))):
        assert found.shape == (*shape, 2)
        assert found.dtype == np.float32
        expected = torchvision_flow(network, *pair)
        assert np.abs(expected).max() > 0.1
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


def test_a_second_call_remembers_nothing_of_the_first(file: Path) -> None:
    raft = load_raft("small", weights=file, iterations=2)
    first, second = images(40, 60)
    for image in (first, second):
        image.flags.writeable = False
    once = raft.flows(first, second)
    raft.flows(second, second)
    for again, flow in zip(raft.flows(first, second), once, strict=True):
        np.testing.assert_array_equal(again, flow)


def test_swapped_images_give_swapped_flows(file: Path) -> None:
    raft = load_raft("small", weights=file, iterations=2)
    first, second = images(40, 60)
    forward, backward = raft.flows(first, second)
    other_forward, other_backward = raft.flows(second, first)
    np.testing.assert_allclose(other_forward, backward, atol=1e-5)
    np.testing.assert_allclose(other_backward, forward, atol=1e-5)


@pytest.mark.parametrize("shapes", [((8, 8, 3), (8, 9, 3)), ((8, 8, 1), (8, 8, 1))])
def test_images_that_cannot_be_compared_are_refused(
    file: Path, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    first, second = (np.zeros(shape, np.float32) for shape in shapes)
    with pytest.raises(ValueError, match="two RGB images of one size"):
        load_raft("small", weights=file).flows(first, second)


def test_sizes_and_iterations_that_there_are_not_are_refused(file: Path) -> None:
    with pytest.raises(ValueError, match="no RAFT of size tiny; there are small, large"):
        load_raft("tiny", weights=file)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ValueError, match="at least 1 iteration, got 0"):
        load_raft("small", weights=file, iterations=0)


def scene(folder: Path) -> tuple[HostArray, HostArray]:
    first, second = (cv2.imread(str(folder / f"frame1{number}.png")) for number in (0, 1))
    assert first is not None
    assert second is not None
    return tuple(one[..., ::-1].astype(np.float32) / np.float32(255) for one in (first, second))


@pytest.fixture
def trained(shared_data: Path) -> Path:
    return shared_data / "weights" / SMALL


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"), [("RubberWhale", 0.31), ("Dimetrodon", 0.25), ("Venus", 0.36)]
)
def test_trained_weights_meet_their_known_error(
    name: str, expected: float, trained: Path, shared_data: Path
) -> None:
    folder = shared_data / "flow" / name
    forward, _ = load_raft("small", weights=trained).flows(*scene(folder))
    error = end_point_error(forward, read_flow(folder / "flow10.flo"))
    assert error == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_correlations_are_float32_always(
    precision: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of features this large they are beyond float16.
    raft = load_raft("small", weights=file, precision=precision, iterations=1)  # type: ignore[arg-type]  # one of the names
    network = raft._network
    network.feature_encoder.conv.weight.mul_(1000)
    network.feature_encoder.conv.bias.mul_(1000)
    kinds = []
    look_up = network.corr_block.index_pyramid

    def watch(centroids_coords: torch.Tensor) -> torch.Tensor:
        levels = network.corr_block.corr_pyramid
        kinds.extend(level.dtype for level in levels)
        assert levels[0].abs().max() > torch.finfo(torch.float16).max
        return look_up(centroids_coords)

    monkeypatch.setattr(network.corr_block, "index_pyramid", watch)
    raft.flows(*images(130, 130))
    assert set(kinds) == {torch.float32}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_costs_little(precision: str, trained: Path, shared_data: Path) -> None:
    first, second = scene(shared_data / "flow" / "RubberWhale")
    pair = first[:160, :160], second[:160, :160]
    exact = load_raft("small", weights=trained).flows(*pair)[0]
    half = load_raft("small", weights=trained, precision=precision)  # type: ignore[arg-type]  # one of the names
    found = half.flows(*pair)[0]
    assert found.dtype == np.float32
    assert 0 < end_point_error(found, exact) < 0.06


def put(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"")
    return folder / name


@pytest.mark.parametrize("size", ["small", "large"])
def test_the_chosen_folder_counts_before_the_cache(
    size: RaftSize, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = put(cache, CATALOG[f"raft-{size}"].file)
    assert find_raft(size, offline=True) == official
    monkeypatch.setenv("VIDSTYLE_WEIGHTS", str(tmp_path / "folder"))
    plain = put(tmp_path / "folder", f"raft_{size}_torchvision.pth")
    assert find_raft(size, offline=True) == plain
    better = put(tmp_path / "folder", f"raft_{size}_torchvision.safetensors")
    assert find_raft(size, offline=True) == better


def test_official_files_are_torchvisions_defaults() -> None:
    from torchvision.models.optical_flow import Raft_Large_Weights, Raft_Small_Weights

    defaults = {"small": Raft_Small_Weights.DEFAULT, "large": Raft_Large_Weights.DEFAULT}
    for size, weights in defaults.items():
        assert weights.url == CATALOG[f"raft-{size}"].address


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def official(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server with an untrained network in the place of torchvision's; the file's name there."""
    folder = tmp_path / "server"
    folder.mkdir()
    torch.save(safetensors_file.read_tensors(file), folder / "made")
    digest = hashlib.sha256((folder / "made").read_bytes()).hexdigest()
    name = f"raft_small-{digest[:8]}.pth"
    (folder / "made").rename(folder / name)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as listening:
        address = f"http://127.0.0.1:{listening.server_port}/"
        entry = WeightFile("raft-small", address + name, name, 0.0, "")
        monkeypatch.setattr(raft_setup, "CATALOG", {"raft-small": entry})
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield name
        listening.shutdown()
        thread.join()


def test_official_weights_are_downloaded_once_and_checked(
    official: str, cache: Path, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match="nothing is downloaded while offline"):
        load_raft("small", offline=True)
    first, second = images(20, 30)
    fetched = load_raft("small", iterations=1).flows(first, second)
    assert (cache / official).is_file()
    load_raft("small", offline=True)
    own = load_raft("small", weights=tmp_path / SMALL, iterations=1).flows(first, second)
    np.testing.assert_array_equal(fetched, own)


def test_an_official_file_that_was_changed_is_refused(
    official: str, cache: Path, tmp_path: Path
) -> None:
    with (tmp_path / "server" / official).open("ab") as file:
        file.write(b"more")
    with pytest.raises(WeightsError, match="gave another file: its SHA-256 begins with"):
        load_raft("small")
    assert not (cache / official).exists()


def test_weights_that_are_missing_offline_name_address_and_place(cache: Path) -> None:
    address = re.escape("https://download.pytorch.org/models/raft_small_C_T_V2-01064c6d.pth")
    with pytest.raises(
        WeightsError, match=f"raft-small in .*fetch {address} .*and put it .*{cache}"
    ):
        load_raft("small", offline=True)
    assert WeightsError.exit_code == 4
    assert not cache.exists()


def test_finding_weights_needs_no_torch() -> None:
    code = "import sys, vidstyle.models.flow.raft_setup; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


Change = Callable[[dict[str, torch.Tensor]], object]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("context_encoder.conv.bias"), r"lacks context_encoder\.conv\.bias"),
        (lambda t: t.update({"head.bias": torch.zeros(1)}), r"has unknown head\.bias"),
        (
            lambda t: t.update({"context_encoder.conv.bias": torch.zeros(3)}),
            r"context_encoder\.conv\.bias is \(3,\); wanted \(160,\)",
        ),
        (lambda t: t["context_encoder.conv.bias"][0].fill_(torch.nan), "not finite: fetch it"),
    ],
)
def test_files_of_another_layout_are_refused(file: Path, change: Change, words: str) -> None:
    tensors = safetensors_file.read_tensors(file)
    change(tensors)
    safetensors_file.write(file, tensors, {})
    with pytest.raises(WeightsError, match=f"{SMALL}.*{words}"):
        load_raft("small", weights=file)


def test_weights_of_the_other_size_are_refused(file: Path) -> None:
    with pytest.raises(WeightsError, match="it is of another layout"):
        load_raft("large", weights=file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.pth is not there"):
        load_raft("small", weights=tmp_path / "none.pth")
