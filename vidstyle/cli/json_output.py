"""``--json``: lines of JSON on standard output, and nothing else, whoever prints."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from itertools import pairwise
from typing import TextIO

# Where JSON goes while standard output is kept for it.
_kept: list[TextIO] = []


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON."""
    words = _options(arguments)
    return "--json" in words and not {"-h", "--help"} & set(words)


@contextmanager
def json_only(arguments: Sequence[str]) -> Generator[None, None, None]:
    """Keep standard output for JSON, if a command line asks for it.

    What plugins and libraries print meanwhile goes to standard error. Where standard output is
    that of a video, JSON goes there, too.
    """
    if not wants_json(arguments):
        yield
        return
    _kept.append(sys.stderr if _is_piped(arguments) else sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _kept.pop()


def keep_descriptor(arguments: Sequence[str]) -> None:
    """Do the same for what does not print by Python, for the rest of the process."""
    if not wants_json(arguments) or _is_piped(arguments):
        return
    with suppress(OSError):
        own = os.dup(1)
        os.dup2(2, 1)
        # A file name may hold bytes that are no text.
        sys.stdout = os.fdopen(own, "w", errors="backslashreplace")


def put_json(value: object) -> None:
    """Print a value as a line of JSON."""
    print(json.dumps(value), file=output_stream(), flush=True)


def is_kept() -> bool:
    """Return whether standard output is kept for JSON."""
    return bool(_kept)


def output_stream() -> TextIO:
    """Return standard output, or what is kept of it for JSON."""
    return _kept[-1] if _kept else sys.stdout


def _options(arguments: Sequence[str]) -> Sequence[str]:
    """The words before ``--``: what follows are names of files."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _is_piped(arguments: Sequence[str]) -> bool:
    """Whether the output is ``-``, which is standard output."""
    words = set(arguments)
    named = any(first in ("-o", "--output") and then == "-" for first, then in pairwise(arguments))
    return named or bool({"-o-", "--output=-"} & words)
