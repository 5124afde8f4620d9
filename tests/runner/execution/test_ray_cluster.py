"""What a unit takes of the nodes of a cluster, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest

from vidstyle.core.clip import Clip
from vidstyle.core.context import ExecutionContext
from vidstyle.core.errors import DeviceError, UsageError
from vidstyle.core.needs import Needs
from vidstyle.core.plan import Plan, PlannedStage
from vidstyle.runner.execution import ray_cluster
from vidstyle.runner.execution.ray_cluster import (
    ClusterNode,
    UnitNeeds,
    join_cluster,
    unit_needs,
    with_threads,
)

GIB = 2**30


def planned(name: str, *, device: bool = False, memory: int = 0) -> PlannedStage:
    needs, clip = Needs(home="device" if device else "host"), Clip(64, 48, Fraction(1, 25), None)
    context = ExecutionContext(threads=8)
    return PlannedStage(name, f"{name}/x", {}, needs, context, clip, (), memory)


def plan(*, memory: int, device: str = "cpu", on_device: int = 0) -> Plan:
    return Plan(
        source=planned("decode"),
        stages=(planned("stylize", device=True, memory=on_device),),
        sink=planned("encode"),
        device=device,
        queue=2,
        chunk=(125, 250),
        frames=(0, None),
        memory=memory,
    )


@pytest.mark.parametrize(
    ("nodes", "wanted"),
    [
        # Memory for a unit on each core.
        ([ClusterNode("a", 8, 32 * GIB, 0)], UnitNeeds(1, 2 * GIB, 0, 8)),
        # Memory for two: they divide the cores.
        ([ClusterNode("a", 8, 5 * GIB, 0)], UnitNeeds(4, 2 * GIB, 0, 2)),
        # The head of a cluster computes nothing; the smallest node decides.
        (
            [
                ClusterNode("head", 0, 32 * GIB, 0),
                ClusterNode("a", 8, 5 * GIB, 0),
                ClusterNode("b", 2, 4 * GIB, 0),
            ],
            UnitNeeds(1, 2 * GIB, 0, 4),
        ),
    ],
)
def test_units_share_cores_and_memory(nodes: list[ClusterNode], wanted: UnitNeeds) -> None:
    assert unit_needs(plan(memory=2 * GIB), nodes) == wanted


@pytest.mark.parametrize(
    ("on_device", "part"), [(0, 1 / 4), (5 * GIB, 1 / 3), (9 * GIB, 1.0), (40 * GIB, 1.0)]
)
def test_units_share_a_gpu_by_the_memory_of_its_stages(on_device: int, part: float) -> None:
    nodes = [ClusterNode("a", 16, 64 * GIB, 1), ClusterNode("b", 16, 64 * GIB, 0)]
    needs = unit_needs(plan(memory=2 * GIB, device="cuda:0", on_device=on_device), nodes)
    assert needs.gpu == part
    assert needs.slots == round(1 / part)


@pytest.mark.parametrize(
    ("wanted", "nodes", "message"),
    [
        (
            plan(memory=40 * GIB),
            [ClusterNode("10.0.0.1", 8, 32 * GIB, 0)],
            "needs a core, 40.0 GiB of memory; the Ray cluster has 10.0.0.1 with 8 cores, 32.0 GiB",
        ),
        (
            plan(memory=GIB, device="cuda:0"),
            [ClusterNode("a", 8, 32 * GIB, 0)],
            "and a GPU; the Ray",
        ),
        (plan(memory=GIB), [], "the Ray cluster has no node"),
        (plan(memory=GIB), [ClusterNode("a", 0, GIB, 0)] * 5, "and 2 more"),
    ],
)
def test_what_no_node_can_take_is_refused(
    wanted: Plan, nodes: list[ClusterNode], message: str
) -> None:
    with pytest.raises(DeviceError, match=message):
        unit_needs(wanted, nodes)


def test_threads_are_the_units_and_the_encoder_keeps_its_own() -> None:
    before = plan(memory=GIB)
    before = replace(before, sink=replace(before.sink, context=ExecutionContext(threads=4)))
    after = with_threads(before, 3)
    assert [stage.context.threads for stage in after.every] == [3, 3, 4]


def test_what_ray_has_against_joining_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: object) -> None:
        raise RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n")

    fake = SimpleNamespace(is_initialized=lambda: False, init=init)
    monkeypatch.setattr(ray_cluster, "import_ray", lambda: fake)
    message = r"cannot join the Ray cluster at h:1: Version mismatch: .* with: Ray: 2\.9\.0$"
    with pytest.raises(UsageError, match=message):
        join_cluster("h:1")
