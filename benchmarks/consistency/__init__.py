"""What ``benchmarks/temporal.py`` is made of."""
