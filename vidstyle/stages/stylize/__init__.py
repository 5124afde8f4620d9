"""Stylizers."""
