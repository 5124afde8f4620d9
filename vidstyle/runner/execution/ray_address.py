"""Whether the head node of a Ray cluster can be at an address, without Ray."""

from __future__ import annotations

import socket

from vidstyle.core.errors import UsageError

# Seconds that the head of a cluster has to take a connection, and then to answer.
_PATIENCE = 4.0
# The preface of HTTP/2 with empty settings (RFC 9113, 3.4), which gRPC and so Ray speaks, and the
# type of the frame that a server must answer with, which is the fourth byte of a frame.
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
_SETTINGS = b"\4"


def check_address(address: str) -> None:
    """Raise UsageError where no head node of a cluster can be, within some seconds.

    Ray itself would try for minutes.
    """
    host, _, port = address.rpartition(":")
    is_port = port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65535
    if not host or not is_port or "/" in address:
        raise UsageError(f"--address {address}: wanted HOST:PORT of the cluster's head node")
    try:
        connection = socket.create_connection((host, int(port)), timeout=_PATIENCE)
    except OSError as error:
        raise UsageError(
            f"--address {address}: nothing answers there ({error.strerror or error}); is the head"
            " node running?"
        ) from error
    with connection:
        try:
            connection.settimeout(_PATIENCE)
            connection.sendall(_HELLO)
            answer = connection.recv(4, socket.MSG_WAITALL)
        except OSError:
            answer = b""
    if answer[3:] != _SETTINGS:
        raise UsageError(
            f"--address {address}: what listens there is no head node of a Ray cluster; check the"
            " port, which is 6379 where none was chosen"
        )
