"""The page as a server: where it listens, whom it refuses, how it ends."""

from __future__ import annotations

import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.app.page_server import PageServer, serving
from vidstyle.app.choices import PageSettings
from vidstyle.app.server import server_options
from vidstyle.cli.main import run_command


def test_streamlit_knows_all_options(settings: PageSettings) -> None:
    from streamlit import config

    options = server_options(settings, 8501)
    known = config.get_config_options()
    assert not set(options) - set(known)
    assert options["server.address"] == "127.0.0.1"
    assert options["browser.gatherUsageStats"] is False
    assert options["server.enableXsrfProtection"] is True
    assert options["server.maxUploadSize"] == 1


def test_a_port_that_is_taken_is_one_line(
    settings: PageSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert run_command(["app", "--port", str(port)]) == 2
    message = f"vidstyle: --port {port} cannot be used (Address already in use): choose another\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--images", "none"], 3, "--images none: cannot be read (No such file or directory)"),
        (["--pipelines", "."], 2, "no pipeline in . stylizes a clip"),
        (["--max-upload", "much"], 2, "much: wanted an amount of memory"),
        (["--port", "80"], 2, "--port 80: wanted 1024 to 65535"),
    ],
)
def test_a_wrong_call_is_one_line(
    words: list[str],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(["app", *words]) == code
    [line] = capsys.readouterr().err.splitlines()
    assert message in line


def test_without_streamlit_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("vidstyle.app.server.find_spec", lambda name: None)
    assert run_command(["app"]) == 2
    assert capsys.readouterr().err == (
        "vidstyle: the page needs Streamlit, which is not installed: pip install 'vidstyle[app]'\n"
    )


def _upgraded(server: PageServer, host: str) -> bytes:
    """The status of a WebSocket's beginning by the name of a host."""
    words = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}:{server.port}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(words.encode())
        return connection.recv(100).split()[1]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_serves_this_machine_alone_and_leaves_nothing(
    settings: PageSettings, tmp_path: Path, number: int, code: int
) -> None:
    with serving(settings, tmp_path) as server:
        assert urllib.request.urlopen(server.address).status == 200
        with socket.socket() as other:
            # Another address of this machine.
            assert other.connect_ex(("127.0.0.2", server.port)) != 0
        upload = urllib.request.Request(
            f"{server.address}/_stcore/upload_file/session/file", data=b"x", method="PUT"
        )
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(upload)
        assert _upgraded(server, "127.0.0.1") == b"101"
        # A page of somebody else's whose name was made to lead here.
        assert _upgraded(server, "stranger.example") == b"403"
        assert [path.name[:13] for path in server.files.iterdir()] == ["vidstyle-app-"]
        assert server.end(number) == code
        assert not list(server.files.iterdir())
