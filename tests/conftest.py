"""What all tests may use."""

from __future__ import annotations

import gc
import hashlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest

import vidstyle
from vidstyle.cli import waiting

MEMORY_FOLDER = Path("/dev/shm")
MEMORY_NEEDED = 1 << 30


def pytest_configure(config: pytest.Config) -> None:
    use_memory_for_files()
    use_one_core_per_worker()


def use_memory_for_files() -> None:
    """Let temporary folders lie in memory, where there is room and no ``TMPDIR`` says otherwise.

    Runs synchronize what they store thousands of times. On a disk, that takes longer than all
    that is computed.
    """
    if "TMPDIR" in os.environ or not os.access(MEMORY_FOLDER, os.W_OK):
        return
    if shutil.disk_usage(MEMORY_FOLDER).free >= MEMORY_NEEDED:
        # Child processes, among them pytest's workers, inherit it.
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY_FOLDER)


def use_one_core_per_worker() -> None:
    """Give each worker a core of its own.

    Networks that compute on two threads wait for the slower one; where another worker has that
    one's core, a step takes ten times as long as on one thread.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


def pytest_collection(session: pytest.Session) -> None:
    """Look for no garbage while modules are imported: next to all of it stays."""
    gc.disable()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what modules and test items hold out of every later search for garbage."""
    gc.enable()
    gc.freeze()
    let_loggers_propagate()
    folder: pytest.Cache | None = getattr(session.config, "cache", None)
    # Tests that need no network need not wait for torch.
    if folder is not None and "torch" in sys.modules:
        keep_graphs(folder.mkdir("graphs"))


def let_loggers_propagate() -> None:
    """Let torch's hundred loggers hand on to the root: pytest would add its handlers to each that
    does not, six times in every test."""
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("torch.") and isinstance(logger, logging.Logger):
            logger.propagate = True


def keep_graphs(folder: Path) -> None:
    """Let ``save_style`` and ``write_onnx`` export each graph once: it is kept for the next run.

    An export takes seconds and gives the same bytes every time. A change of the networks or of
    the exporter makes another name, and so another export. A test that has imported
    ``export_graph`` by its own name exports.
    """
    from vidstyle.models.style import graph_export

    prefix, export = graph_version(), graph_export.export_graph

    @cache
    def export_once(architecture: graph_export.ArchitectureName, width: int) -> bytes:
        path = folder / f"{prefix}-{architecture}-{width}.onnx"
        if not path.exists():
            graph_export.replace_file(path, export(architecture, width))
        return path.read_bytes()

    graph_export.export_graph = export_once


def graph_version() -> str:
    """Names what an exported graph depends on: the networks' code, and the exporter's parts."""
    package = Path(vidstyle.__file__).parent
    code = [package / "__init__.py", *sorted((package / "models" / "style").glob("*.py"))]
    parts = [version(name) for name in ("torch", "onnx", "onnxscript", "onnx-ir")]
    return hashlib.sha256(
        b"".join(file.read_bytes() for file in code) + " ".join(parts).encode()
    ).hexdigest()[:16]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let Python free all of it at its end: bindings report what is left then."""
    gc.unfreeze()


@pytest.fixture
def shared_data() -> Path:
    """Real clips and images that lie beside the repository; absent in a plain clone."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared/data beside the repository")
    return folder


@pytest.fixture
def gpu() -> str:
    """The first GPU. Where ``VIDSTYLE_TEST_GPU`` promises one, its absence is a failure."""
    import torch

    if torch.cuda.is_available():
        return "cuda:0"
    if os.environ.get("VIDSTYLE_TEST_GPU"):
        pytest.fail("VIDSTYLE_TEST_GPU is set, but torch finds no CUDA device")
    pytest.skip("no CUDA device")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread of torch: images of tests lose more to waiting threads than they gain by them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is short of cores, no line about waiting comes between those of a test."""
    monkeypatch.setattr(waiting, "_PATIENCE_SECONDS", 60.0)
