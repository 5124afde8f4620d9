"""Sinks: files and folders of images out."""
