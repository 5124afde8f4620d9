"""Containers and pixel formats: what decoders and encoders share of PyAV."""
