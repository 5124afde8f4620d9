"""Bytes of videos without an encoder, and pipes to send them through."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

WIDTH, HEIGHT = 64, 48


def noise(size: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8).tobytes()


def y4m(
    frames: int = 6, *, words: str = "C420jpeg XCOLORRANGE=LIMITED", samples: float = 1.5
) -> bytes:
    """A y4m file; ``samples`` are bytes of a pixel. No sample is outside of the limited range."""
    size = int(WIDTH * HEIGHT * samples)
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 {words}\n".encode()
    inside = [bytes(40 + value // 2 for value in noise(size, seed)) for seed in range(frames)]
    return header + b"".join(b"FRAME\n" + frame for frame in inside)


@contextmanager
def sending(data: bytes) -> Iterator[int]:
    """The reading end of a pipe that the data comes out of."""
    reading, writing = os.pipe()

    def send() -> None:
        with os.fdopen(writing, "wb") as file:
            try:
                file.write(data)
                file.flush()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), writing)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield reading
    finally:
        os.close(reading)
        thread.join(10)


class Receiver:
    """The writing end of a pipe, and all that has come out of it."""

    def __init__(self) -> None:
        reading, self.descriptor = os.pipe()
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._receive, args=(reading,))
        self._thread.start()

    def _receive(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as file:
            while data := file.read(1 << 16):
                self._parts.append(data)

    def close(self) -> bytes:
        """All bytes; nothing more can be written."""
        os.close(self.descriptor)
        self._thread.join(10)
        return b"".join(self._parts)
