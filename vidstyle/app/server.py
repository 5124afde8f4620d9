"""Serving the page with Streamlit, on this machine alone."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vidstyle.app.choices import PageSettings
from vidstyle.app.studio import Studio, open_studio
from vidstyle.core.errors import UsageError

ADDRESS = "127.0.0.1"
"""The only one: whoever can reach the page can use the machine."""
PAGE = Path(__file__).parent / "page" / "main.py"
_MEBIBYTE = 2**20


def serve(settings: PageSettings, *, port: int, ready: Callable[[str], None]) -> int:
    """Serve the page until SIGINT or SIGTERM, whose number is returned.

    ``ready`` is called with the address when it answers. Raises UsageError where Streamlit is not
    installed or the port is taken, and as ``choices.find_choices``.
    """
    if find_spec("streamlit") is None:
        raise UsageError(
            "the page needs Streamlit, which is not installed: pip install 'vidstyle[app]'"
        )
    from streamlit import config

    _check_free(port)
    with open_studio(settings) as studio:
        config.get_config_options(True, server_options(settings, port))
        ended = threading.Event()
        watch = threading.Thread(target=_watch, args=(studio, ended), daemon=True)
        watch.start()
        try:
            return asyncio.run(_serve(lambda: ready(f"http://{ADDRESS}:{port}")))
        finally:
            ended.set()
            watch.join()


async def _serve(ready: Callable[[], None]) -> int:
    from streamlit.web.bootstrap import prepare_streamlit_environment
    from streamlit.web.server import Server

    server, received = Server(str(PAGE), is_hello=False), []

    def end(number: int) -> None:
        received.append(number)
        server.stop()

    await server.start()
    prepare_streamlit_environment(str(PAGE))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    ready()
    await server.stopped
    return received[0]


def server_options(settings: PageSettings, port: int) -> dict[str, Any]:
    """Streamlit's options; they win over its own files and variables."""
    return {
        "server.address": ADDRESS,
        "server.port": port,
        "server.headless": True,
        "server.allowedHosts": [ADDRESS, "localhost"],
        "server.corsAllowedOrigins": [],
        "server.enableCORS": True,
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        "server.maxUploadSize": max(1, settings.max_upload // _MEBIBYTE),
        "server.disconnectedSessionTTL": max(1, round(settings.grace_seconds)),
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "browser.serverAddress": ADDRESS,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "client.showErrorLinks": "false",
        "global.developmentMode": False,
        "logger.hideWelcomeMessage": True,
        "runner.magicEnabled": False,
        "theme.base": "light",
        "theme.primaryColor": "#1f5673",
        "theme.backgroundColor": "#fbfaf7",
        "theme.secondaryBackgroundColor": "#f1eee7",
        "theme.textColor": "#24282c",
        "theme.borderColor": "#ddd8cd",
        "theme.baseRadius": "0.4rem",
        "theme.font": "sans-serif",
    }


def _check_free(port: int) -> None:
    """Streamlit itself would take the next port, which nobody looks at."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise UsageError(
                f"--port {port} cannot be used ({error.strerror}): choose another"
            ) from error


def _watch(studio: Studio, ended: threading.Event) -> None:
    from streamlit import runtime

    def is_open(session: str) -> bool:
        return runtime.exists() and runtime.get_instance().is_active_session(session)

    studio.watch(is_open, ended)
