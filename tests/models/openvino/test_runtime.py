"""OpenVINO calls nobody when it is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import vidstyle

_IMPORT = """
import socket, sys, threading
asked = []
def refuse(*arguments, **named):
    asked.append(arguments)
    raise OSError("no network")
socket.getaddrinfo = socket.socket.connect = refuse
before = threading.active_count()
import vidstyle.models.openvino.network
assert vidstyle.models.openvino.runtime.has_native_bfloat16() in (True, False)
assert sys.modules["openvino_telemetry"] is None
assert not asked and threading.active_count() == before, asked
"""


def test_importing_it_opens_no_connection_and_writes_nothing_to_the_home(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _IMPORT], check=True, env={"HOME": str(tmp_path)})
    assert not list(tmp_path.iterdir())


def test_nobody_imports_it_but_through_that_file() -> None:
    package = Path(vidstyle.__file__).parent
    importing = {
        path.name
        for path in package.rglob("*.py")
        if "\nimport openvino" in (text := path.read_text()) or "\nfrom openvino" in text
    }
    assert importing == {"runtime.py"}
