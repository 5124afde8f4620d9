"""A Ray cluster to compute on: joined or started, and what a unit may take of its nodes.

Ray is imported where this is used alone. It schedules and retries; nothing here does.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import vidstyle
from vidstyle.core.errors import DeviceError, UsageError
from vidstyle.core.plan import Plan
from vidstyle.runner.execution.cluster_files import own_files
from vidstyle.runner.execution.ray_address import check_address
from vidstyle.runner.plan.device import available_cores
from vidstyle.runner.plan.memory import size_text

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray prints what it computes again to standard output, which belongs to --json.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
# Bytes of the memory of a GPU that a unit is measured by: the smallest that servers have today.
_GPU_MEMORY = 16 * 2**30
# Units on one GPU at most: more gain nothing.
_GPU_UNITS = 4


@dataclass(frozen=True, slots=True)
class ClusterNode:
    """What one machine of a cluster has."""

    address: str
    cores: float
    memory: float
    """Bytes."""
    gpus: float


@dataclass(frozen=True, slots=True)
class UnitNeeds:
    """What a unit takes of a node while it is computed."""

    cores: int
    memory: int
    """Bytes."""
    gpu: float
    """Part of a GPU; 0 for none."""
    slots: int
    """How many fit into the cluster at a time."""


@contextmanager
def open_cluster(address: str | None) -> Generator[str, None, None]:
    """Join the cluster at ``HOST:PORT``, or start one on this machine and end it afterwards.

    Gives the address by which other processes of this machine join it.

    Raises UsageError where Ray is not installed, where versions differ, and as ``check_address``
    does.
    """
    if address is not None:
        check_address(address)
    ray = import_ray()
    with ExitStack() as stack:
        if address is None:
            stack.enter_context(own_files())
        join_cluster(address)
        stack.callback(_leave_cluster)
        yield str(ray.get_runtime_context().gcs_address)


def join_cluster(address: str | None) -> None:
    """Connect this process, unless it is. Raises as ``open_cluster`` does."""
    ray = import_ray()
    if ray.is_initialized():
        return
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.FATAL}
    if address is None:
        # One of our own, whatever else runs on this machine.
        settings |= {"address": "local", "num_cpus": available_cores()}
        settings |= {"include_dashboard": False}
    else:
        code = str(Path(vidstyle.__file__).parent)
        environment = {"py_modules": [code], "excludes": ["**/__pycache__/**", "__pycache__"]}
        settings |= {"address": address, "runtime_env": environment}
    try:
        with _kept_handlers():
            ray.init(**settings)
    # Where a machine is slow, Ray raises nothing more special.
    except Exception as error:
        raise UsageError(f"cannot join the Ray cluster{_at(address)}: {_line(error)}") from error


def import_ray() -> ModuleType:
    """Ray, asked to be quiet. Raises UsageError where it is not installed."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "--engine ray needs Ray, which is not installed: pip install 'vidstyle[ray]'"
        ) from error
    return ray


def nodes_of_cluster() -> list[ClusterNode]:
    """The machines that are there now."""
    return [_node(facts) for facts in import_ray().nodes() if facts["Alive"]]


def cores_of_cluster() -> int:
    """Cores of all machines that are there now; at least 1."""
    return max(int(sum(node.cores for node in nodes_of_cluster())), 1)


def unit_needs(plan: Plan, nodes: list[ClusterNode]) -> UnitNeeds:
    """As many units beside each other as cores and memory allow, and as many threads each.

    Raises DeviceError where no node can take one: what it needs, and what there is.
    """
    gpu = _gpu_part(plan) if plan.device != "cpu" else 0.0
    fitting = {node: _units_on(node, plan.memory, gpu) for node in nodes}
    fitting = {node: count for node, count in fitting.items() if count}
    if not fitting:
        raise DeviceError(
            f"a unit needs a core, {size_text(plan.memory)} of memory"
            f"{' and a GPU' if gpu else ''}; the Ray cluster has {_inventory(nodes)}"
        )
    cores = max(min(int(node.cores) // count for node, count in fitting.items()), 1)
    return UnitNeeds(cores, plan.memory, gpu, sum(fitting.values()))


def with_threads(plan: Plan, threads: int) -> Plan:
    """The plan for so many threads of its source and stages; the encoder's are constant."""
    source, *stages = (
        replace(stage, context=replace(stage.context, threads=threads))
        for stage in (plan.source, *plan.stages)
    )
    return replace(plan, source=source, stages=tuple(stages))


def _leave_cluster() -> None:
    with _kept_handlers():
        import_ray().shutdown()


def _node(facts: Mapping[str, Any]) -> ClusterNode:
    has = facts["Resources"]
    return ClusterNode(
        str(facts["NodeManagerAddress"]),
        has.get("CPU", 0.0),
        has.get("memory", 0.0),
        has.get("GPU", 0.0),
    )


def _units_on(node: ClusterNode, memory: int, gpu: float) -> int:
    count = min(int(node.cores), int(node.memory // max(memory, 1)))
    return min(count, int(node.gpus / gpu)) if gpu else count


def _gpu_part(plan: Plan) -> float:
    """1, or a half, third or fourth, by the memory of the stages that compute there."""
    taken = sum(stage.memory for stage in plan.stages if stage.needs.home == "device")
    return 1 / max(min(_GPU_MEMORY // max(taken, 1), _GPU_UNITS), 1)


def _inventory(nodes: list[ClusterNode]) -> str:
    texts = [
        f"{node.address} with {node.cores:g} cores, {size_text(int(node.memory))} and"
        f" {node.gpus:g} GPUs"
        for node in nodes
    ]
    more = f", and {len(texts) - 3} more" if len(texts) > 3 else ""
    return ", ".join(texts[:3]) + more if texts else "no node"


def _at(address: str | None) -> str:
    return "" if address is None else f" at {address}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


@contextmanager
def _kept_handlers() -> Iterator[None]:
    """Keep our answers to signals: Ray puts its own in their place."""
    on_main = threading.current_thread() is threading.main_thread()
    wanted = (signal.SIGINT, signal.SIGTERM) if on_main else ()
    before = {number: signal.getsignal(number) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError):
                signal.signal(number, handler)
