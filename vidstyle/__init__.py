"""Stylize video with temporal consistency.

    import vidstyle

    vidstyle.run("temporal", "input.mp4", "output.mp4", style="starry-night")

``run``, ``frames`` and ``stage`` are the public functions; ``vidstyle.core`` has the types that
stages are written with, ``vidstyle.testing`` the checks for them. Importing this package imports
no library: the functions are loaded when they are first used (``__init__.pyi`` has their types).
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "frames", "run", "stage"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("vidstyle.api"), name)
    raise AttributeError(f"module 'vidstyle' has no attribute {name!r}")
