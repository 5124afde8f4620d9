"""Settings by name: vidstyle's own, and recipes that were published."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

DEFAULT = "default"

PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        DEFAULT: {},
        # Johnson, Alahi, Fei-Fei 2016, section 4.1: the 80,000 photos of COCO twice over. The
        # paper normalizes by batch and bounds its output by a tanh; the network here normalizes
        # by instance, and the term `excess` keeps its output in range. The weights of the paper
        # were chosen anew for each painting; here the terms are calibrated.
        "johnson-2016": {
            "architecture": "johnson-fractional",
            "width": 32,
            "start": "random",
            "iterations": 40_000,
            "batch": 4,
            "crop": 256,
            "learning_rate": 1e-3,
            "decay": 0.0,
            "precision": "float32",
            "backbone": "vgg16",
            "pooling": "max",
            "style_layers": ("relu1_2", "relu2_2", "relu3_3", "relu4_3"),
            "style_scales": (1.0,),
            "content_layer": "relu2_2",
            "temporal": 0.0,
        },
        # Ulyanov, Vedaldi, Lempitsky 2016 and 2017: instance normalization in the network of
        # Johnson et al., taught by single images; average pooling is Gatys et al.'s. The
        # authors let the learning rate fall in steps; here it falls in a line.
        "instance-norm": {
            "architecture": "johnson",
            "width": 32,
            "start": "random",
            "iterations": 20_000,
            "batch": 1,
            "crop": 256,
            "learning_rate": 1e-3,
            "decay": 1.0,
            "precision": "float32",
            "backbone": "vgg19",
            "pooling": "average",
            "style_layers": ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
            "style_scales": (1.0,),
            "content_layer": "relu4_2",
            "variation": 0.0,
            "temporal": 0.0,
        },
    }
)
"""What each preset changes of ``Settings``' defaults."""
