"""Compiled passes over whole frames, for what takes numpy and OpenCV many passes.

Each but ``dis`` has the same result as a function in ``vidstyle.imaging`` or a stage, within 0.25
of 255. Those do the work where nothing was compiled, and most of it for sides that are odd. The
flow that ``dis`` finds is not OpenCV's.
"""
