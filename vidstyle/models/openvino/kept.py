"""The model that was compiled last, for who wants the same next: clips of a batch often do.

Off unless a process asks for it: a model holds the memory of its features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from vidstyle.core import HostArray

_keeping = False
# At most one, by what it was compiled of.
_last: dict[Hashable, Any] = {}


def keep_last_model() -> None:
    """Keep models from now on, in this process."""
    global _keeping
    _keeping = True


def kept_or_compiled(key: Hashable, compile_it: Callable[[], Any]) -> Any:
    """Return the model that was compiled last where it is the same, else a new one.

    Args:
        key: What it is compiled of: equal ones stand for equal models.
        compile_it: Makes it. The last one's memory is given back before.

    Returns:
        A compiled model. Several requests may use it at once.
    """
    if not _keeping:
        return compile_it()
    if key not in _last:
        _last.clear()
        _last[key] = compile_it()
    return _last[key]


def digest_of_network(graph: bytes, weights: Mapping[str, HostArray]) -> str:
    """Hash a graph and its weights.

    Args:
        graph: As ``graph.read_graph`` takes it.
        weights: By name.

    Returns:
        A hexadecimal digest.
    """
    digest = hashlib.blake2b(graph, digest_size=20)
    for name, array in sorted(weights.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
