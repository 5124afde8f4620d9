"""Style images of our own, drawn by code: nobody's painting, and the same for the same seed."""

from .drawing import DRAWINGS, Drawing, write_drawings

__all__ = ["DRAWINGS", "Drawing", "write_drawings"]
