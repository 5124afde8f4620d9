"""Whether the head node of a Ray cluster is at an address, found out without Ray."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

from vidstyle.core.errors import UsageError

# Seconds that the head of a cluster has to take a connection, and then to answer.
_PATIENCE = 4.0
# The call with which each client of a cluster begins. It has no arguments.
_CALL = b"/ray.rpc.NodeInfoGcsService/GetClusterId"
# Types and flags of the frames of HTTP/2 (RFC 9113, 6), which gRPC and so Ray speaks.
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _END_HEADERS, _ACKNOWLEDGED = 1, 4, 1
# How a head refuses the call where its cluster wants a token, which is for Ray to send: the status
# that it wants authentication (16), not compressed, as servers in C++ write it.
_WANTS_TOKEN = b"grpc-status\x0216"
# Bytes of a frame: what asks to take more is no answer to our call.
_LONGEST = 2**16


def check_address(address: str) -> None:
    """Raise UsageError where no head node of a cluster answers, within some seconds.

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
            is_head = _answers(connection)
        except OSError:
            is_head = False
    if not is_head:
        raise UsageError(
            f"--address {address}: what listens there is no head node of a Ray cluster; check the"
            " port, which is 6379 where none was chosen"
        )


def _answers(connection: socket.socket) -> bool:
    """Whether the call is answered as Ray does. Raises OSError where nothing comes in time."""
    connection.sendall(_request())
    for kind, flags, stream, payload in _frames(connection):
        if kind == _SETTINGS and not flags & _ACKNOWLEDGED:
            connection.sendall(_frame(_SETTINGS, _ACKNOWLEDGED, 0))
        elif stream == 1 and kind == _DATA and payload:
            # A message is led by whether it is compressed, and its length. Whoever does not know
            # the call sends none, and no web page begins so.
            return payload[:1] == b"\0" and payload[1:5] == len(payload[5:]).to_bytes(4)
        elif stream == 1 and flags & _END_STREAM:
            return _WANTS_TOKEN in payload
    return False


def _request() -> bytes:
    """The call as a client of gRPC sends it, with the preface of HTTP/2 (RFC 9113, 3.4)."""
    headers = (
        # Method, scheme, and by the numbers of their names path, authority and type (RFC 7541, A).
        b"\x83\x86"
        + b"\x04"
        + _text(_CALL)
        + b"\x01"
        + _text(b"head")
        + b"\x0f\x10"
        + _text(b"application/grpc")
        + b"\x00"
        + _text(b"te")
        + _text(b"trailers")
    )
    return (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + _frame(_SETTINGS, 0, 0)
        + _frame(_HEADERS, _END_HEADERS, 1, headers)
        + _frame(_DATA, _END_STREAM, 1, bytes(5))
    )


def _text(data: bytes) -> bytes:
    """A short string literal, not compressed (RFC 7541, 5.2)."""
    return bytes([len(data)]) + data


def _frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def _frames(connection: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, stream and payload of each frame until the connection ends."""
    deadline = time.monotonic() + _PATIENCE
    while len(header := _read(connection, 9, deadline)) == 9:
        length = int.from_bytes(header[:3])
        if length > _LONGEST:
            return
        payload = _read(connection, length, deadline)
        yield header[3], header[4], int.from_bytes(header[5:]), payload


def _read(connection: socket.socket, count: int, deadline: float) -> bytes:
    """So many bytes, or fewer where the connection ends. Raises TimeoutError."""
    data = b""
    while len(data) < count:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        more = connection.recv(count - len(data))
        if not more:
            break
        data += more
    return data
