"""The inputs of ``benchmarks/formats.py``."""
