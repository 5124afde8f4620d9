"""OpenVINO calls nobody when it is imported."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

import vidstyle
from vidstyle.models.openvino.runtime import has_vnni

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


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="Linux lists what there is")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have other names")
def test_vnni_is_what_the_processor_says() -> None:
    features = Path("/proc/cpuinfo").read_text().split()
    assert has_vnni() == ("avx512_vnni" in features)


def test_nobody_imports_it_but_through_that_file() -> None:
    package = Path(vidstyle.__file__).parent
    importing = {
        path.name
        for path in package.rglob("*.py")
        if "\nimport openvino" in (text := path.read_text()) or "\nfrom openvino" in text
    }
    assert importing == {"runtime.py"}
