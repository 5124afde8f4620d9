"""What is no head node of a Ray cluster is found out soon, and a head is taken for one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from filelock import FileLock

from vidstyle.core.errors import UsageError
from vidstyle.runner.execution import ray_address
from vidstyle.runner.execution.ray_address import check_address

# The frames of HTTP/2: settings, and on the stream of the call headers that another follows.
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
HEADERS = bytes((0, 0, 1, 1, 4, 0, 0, 0, 1)) + b"\x88"
HEAD = """\
import sys, ray
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
print("address", ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """Something that gives the same answer to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection = listening.accept()[0]
            with connection, suppress(ConnectionError):
                connection.sendall(answer)
                # Whoever asks closes the connection.
                while connection.recv(1000):
                    pass

        serving = Thread(target=serve)
        serving.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        serving.join()


def data(payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes((0, 0, 0, 0, 0, 1)) + payload


def test_a_grpc_server_of_something_else_is_refused_at_once() -> None:
    grpc = pytest.importorskip("grpc")
    other = grpc.server(ThreadPoolExecutor(1))
    address = f"127.0.0.1:{other.add_insecure_port('127.0.0.1:0')}"
    other.start()
    try:
        started = time.monotonic()
        with pytest.raises(UsageError, match="is no head node of a Ray cluster"):
            check_address(address)
        assert time.monotonic() - started < ray_address._PATIENCE / 2
    finally:
        other.stop(None).wait()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(SETTINGS, id="silent"),
        pytest.param(SETTINGS + HEADERS + data(b"<html>"), id="web page"),
        pytest.param(SETTINGS + HEADERS + data(b"\0\0\0\0\7short"), id="no message"),
        pytest.param(SETTINGS + b"\xff\xff\xff" + bytes(100), id="endless frame"),
        pytest.param(SETTINGS[:5], id="half a frame"),
    ],
)
def test_what_speaks_http_2_alone_is_refused_soon(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(ray_address, "_PATIENCE", 0.5)
    started = time.monotonic()
    with server(answer) as address, pytest.raises(UsageError, match="is no head node"):
        check_address(address)
    assert time.monotonic() - started < 3


def test_bytes_that_trickle_do_not_hold_the_check() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection = listening.accept()[0]
            with connection, suppress(OSError):
                while True:
                    connection.sendall(SETTINGS)
                    time.sleep(0.05)

        Thread(target=serve, daemon=True).start()
        started = time.monotonic()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ray_address, "_PATIENCE", 0.5)
            with pytest.raises(UsageError, match="is no head node"):
                check_address(f"127.0.0.1:{listening.getsockname()[1]}")
        assert time.monotonic() - started < 3


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("mode", ["", "disabled"])
def test_a_head_node_is_taken_for_one_with_tokens_and_without(mode: str) -> None:
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    if mode:
        environment["RAY_AUTH_MODE"] = mode
    with (
        FileLock(Path(tempfile.gettempdir()) / "vidstyle-tests-of-ray.lock"),
        subprocess.Popen(
            [sys.executable, "-c", HEAD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        ) as head,
    ):
        assert head.stdout is not None
        line = ""
        while not line.startswith("address "):
            line = head.stdout.readline()
            assert head.poll() is None
        check_address(line.split()[1])
        head.communicate("")
