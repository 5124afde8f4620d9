"""Sinks: files and folders of pictures out."""
