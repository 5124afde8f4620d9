"""Stages that change the size of frames."""
