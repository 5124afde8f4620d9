"""What a shell offers behind Tab, beside commands and options: names that vidstyle knows.

The parser keeps those that begin as the word does. Where none is left, bash offers files.
"""

from __future__ import annotations


def complete_pipeline(incomplete: str) -> list[str]:
    """The shipped pipelines."""
    from vidstyle.runner.config.shipped import shipped_pipelines

    return list(shipped_pipelines())


def complete_style(incomplete: str) -> list[str]:
    """The styles that are found by name."""
    from vidstyle.models.style.styles import list_styles

    return list(list_styles())


def complete_codec(incomplete: str) -> list[str]:
    """The video codecs."""
    from vidstyle.stages.encode.codecs import CODECS

    return list(CODECS)


def complete_device(incomplete: str) -> list[str]:
    """The kinds of devices; a GPU may have a number behind it."""
    return ["auto", "cpu", "cuda"]


def complete_stage(incomplete: str) -> list[str]:
    """The built-in stages."""
    from vidstyle.runner.config.discovery import BUILT_IN

    return list(BUILT_IN)


def complete_weights(incomplete: str) -> list[str]:
    """The third-party weights."""
    from vidstyle.models.weights.catalog import CATALOG

    return list(CATALOG)
