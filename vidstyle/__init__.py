"""vidstyle paints a video in a style, without flicker."""

__version__ = "0.1.0"
__all__ = ["__version__"]
