"""Temporal blending."""
