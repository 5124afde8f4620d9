"""The line of a plugin's file that an error comes from."""

from __future__ import annotations

import inspect
import sys
import traceback
from functools import cache
from importlib.metadata import entry_points
from typing import Final

from vidstyle.core.errors import PluginError, shorten_message

GROUP: Final = "vidstyle.stages"
"""The entry points by which installed packages offer stages."""
MODULE_PREFIX: Final = "_vidstyle_plugin_"
"""Begins the names of the modules that files of plugin folders become."""


def plugin_line(error: BaseException) -> str | None:
    """Find the line of a plugin at which something was raised.

    Args:
        error: What was raised.

    Returns:
        ``file:line`` of the innermost call in a plugin; None where no plugin took part.
    """
    # As the author of the plugin reads a traceback: what it called further in is no news.
    found = [
        f"{frame.f_code.co_filename}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if _is_plugin(str(frame.f_globals.get("__name__")))
    ]
    return found[-1] if found else None


def plugin_error(error: BaseException) -> PluginError | None:
    """Make an error of what a plugin raised where nobody expected it.

    Args:
        error: What was raised.

    Returns:
        One that names the line; None where no plugin took part.
    """
    line = plugin_line(error)
    if line is None:
        return None
    return PluginError(f"{line}: the plugin failed: {describe_error(error)}")


def describe_error(error: BaseException) -> str:
    """Bring the type and the message of foreign code on one line: ``KeyError: 'a'``.

    Args:
        error: What was raised.

    Returns:
        The line.
    """
    return f"{type(error).__name__}: {shorten_message(error) or 'no message'}"


def find_step_line(stage: object) -> str | None:
    """Find the step of a plugin's stage, for faults in what it returned.

    Args:
        stage: The stage.

    Returns:
        ``file:line`` of its step, or of the function that it was made of; None for a stage of ours.
    """
    steps = ("step_span", "step_many", "step")
    step = next((getattr(type(stage), name) for name in steps if hasattr(type(stage), name)), None)
    function = inspect.unwrap(step) if callable(step) else None
    code = getattr(function, "__code__", None)
    if code is None or not _is_plugin(str(getattr(function, "__module__", ""))):
        return None
    return f"{code.co_filename}:{code.co_firstlineno}"


def _is_plugin(module: str) -> bool:
    return module.startswith(MODULE_PREFIX) or module.partition(".")[0] in _packages(
        tuple(sys.path)
    )


@cache
def _packages(search_path: tuple[str, ...]) -> frozenset[str]:
    """The installed packages that offer stages, in these folders."""
    return frozenset(entry.module.partition(".")[0] for entry in entry_points(group=GROUP))
