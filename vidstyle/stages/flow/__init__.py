"""Optical flow and visibility."""
