"""Filters on pictures."""
