"""Types of the functions that ``__init__.py`` loads when they are first used."""

from vidstyle.api import frames as frames
from vidstyle.api import run as run
from vidstyle.api import stage as stage

__version__: str
__all__ = ["__version__", "frames", "run", "stage"]
