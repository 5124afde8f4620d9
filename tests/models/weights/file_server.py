"""A server of files on this machine, for what downloads them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class FileServer:
    """What a local server has, and what it was asked for."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    missing_bytes: int = 0
    """How many bytes of each file it promises and does not send."""
    delay_seconds: float = 0.0
    knows_parts: bool = True
    asked: list[str] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)


@contextmanager
def serve_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """Serve ``files`` by their names below ``address``, until the context ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            state.asked.append(name)
            time.sleep(state.delay_seconds)
            if name not in state.files:
                self.send_error(404)
                return
            asked_from = self.headers["Range"] if state.knows_parts else None
            begin = int(asked_from.removeprefix("bytes=").removesuffix("-")) if asked_from else 0
            content = state.files[name][begin:]
            if begin and not content:
                self.send_error(416)
                return
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            state.sent.append(len(content) - state.missing_bytes)
            self.wfile.write(content[: len(content) - state.missing_bytes])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    # A proxy of the machine must not be asked for what lies on it.
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        state = FileServer(f"http://127.0.0.1:{listening.server_port}/models/")
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        listening.shutdown()
        thread.join()
