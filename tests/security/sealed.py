"""Runs command lines in a process that the kernel ends when it asks for a network socket.

``python sealed.py`` reads a JSON list of command lines and writes the list of exit codes. The
filter holds for FFmpeg's code as for Python's: it kills on any socket but AF_UNIX.
"""

from __future__ import annotations

import ctypes
import json
import platform
import struct
import sys

UNAVAILABLE = 77
"""Exit code where the kernel takes no filter."""

_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_KILL, _ALLOW = 0x8000_0000, 0x7FFF_0000
_SYSTEM_CALL, _FIRST_ARGUMENT = 0, 16
_SOCKET_CALL = {"x86_64": 41, "aarch64": 198}
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_AF_UNIX = 1


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def seal() -> bool:
    """Install the filter, for good; False where that cannot be done."""
    number = _SOCKET_CALL.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return False
    steps = [
        (_LOAD, 0, 0, _SYSTEM_CALL),
        (_JUMP_EQUAL, 0, 3, number),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_JUMP_EQUAL, 1, 0, _AF_UNIX),
        (_RETURN, 0, 0, _KILL),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = _Program(len(steps), code)
    library = ctypes.CDLL(None, use_errno=True)
    return bool(
        library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
        and library.prctl(_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0
    )


def main() -> None:
    commands = json.load(sys.stdin)
    if not seal():
        sys.exit(UNAVAILABLE)
    from vidstyle.cli.main import run_command

    json.dump([run_command(command) for command in commands], sys.stdout)


if __name__ == "__main__":
    main()
