"""Runs a resolved plan."""
