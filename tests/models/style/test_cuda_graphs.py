"""What comes again in the same shape is replayed; the rest is computed as it is."""

from __future__ import annotations

import logging

import pytest
import torch

from vidstyle.models.style.cuda_graphs import Compute, CudaRecorder, Replays


class Recorder:
    """Notes what is recorded, and by what it is replayed afterwards."""

    def __init__(self) -> None:
        self.recorded: list[tuple[int, ...]] = []
        self.replayed = 0

    def __call__(self, compute: Compute, given: torch.Tensor) -> Compute:
        self.recorded.append(tuple(given.shape))

        def replay(given: torch.Tensor) -> torch.Tensor:
            self.replayed += 1
            return compute(given)

        return replay


def double(given: torch.Tensor) -> torch.Tensor:
    return 2 * given


def triple(given: torch.Tensor) -> torch.Tensor:
    return 3 * given


def test_from_the_second_of_a_shape_on_it_is_replayed() -> None:
    recorder = Recorder()
    replays = Replays(recorder)
    for number in range(4):
        made = replays.run("double", double, torch.full((2, 3), float(number)))
        assert made.unique().tolist() == [2 * number]
        assert recorder.recorded == ([(2, 3)] if number else [])
    assert recorder.replayed == 3


def test_shapes_and_computations_have_a_recording_each() -> None:
    recorder = Recorder()
    replays = Replays(recorder)
    for shape in ((2, 3), (1, 3), (2, 3)):
        replays.run("double", double, torch.ones(shape))
    for _ in range(2):
        assert replays.run("triple", triple, torch.ones(2, 3)).unique().tolist() == [3]
    assert recorder.recorded == [(2, 3), (2, 3)]


def test_what_cannot_be_recorded_is_computed_and_tried_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempts = []

    def fail(compute: Compute, given: torch.Tensor) -> Compute:
        attempts.append(given)
        raise RuntimeError("operation not permitted when stream is capturing")

    replays = Replays(fail)
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            assert replays.run("double", double, torch.ones(2)).tolist() == [2, 2]
    assert len(attempts) == 1
    assert "not permitted" in caplog.text


def test_a_graph_computes_what_the_network_does(gpu: str) -> None:
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, 3, 3, padding=1).to(gpu).requires_grad_(False)
    replays = Replays(CudaRecorder(gpu))
    images = [torch.rand(2, 3, 40, 50, device=gpu) for _ in range(5)]
    made = [replays.run("conv", network, image) for image in images]
    for image, result in zip(images, made, strict=True):
        torch.testing.assert_close(result, network(image), rtol=1e-3, atol=1e-3)


def test_a_graph_reads_weights_that_changed_in_place(gpu: str) -> None:
    network = torch.nn.Conv2d(3, 3, 1, bias=False).to(gpu).requires_grad_(False)
    replays, image = Replays(CudaRecorder(gpu)), torch.rand(1, 3, 8, 8, device=gpu)
    for value in (1.0, 2.0, 3.0, 4.0):
        network.weight.fill_(value)
        made = replays.run("conv", network, image)
        torch.testing.assert_close(made, network(image), rtol=1e-3, atol=1e-3)


def test_graphs_of_two_shapes_do_not_write_over_each_other(gpu: str) -> None:
    replays = Replays(CudaRecorder(gpu))
    given = [torch.full((size, size), float(size), device=gpu) for size in (8, 16)]
    made = [[replays.run("double", double, one) for one in given] for _ in range(4)]
    for small, large in made:
        assert small.unique().tolist() == [16]
        assert large.unique().tolist() == [32]
