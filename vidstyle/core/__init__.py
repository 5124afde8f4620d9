"""The contracts: what frames, clips and stages are. Stage authors import from here."""

from vidstyle.core.clip import Clip, Colour, Notice, OtherStream
from vidstyle.core.context import Place
from vidstyle.core.frame import Frame
from vidstyle.core.layers import HostArray, Layer
from vidstyle.core.needs import NOW, Needs, Reach
from vidstyle.core.options import (
    Mix,
    StageOptions,
    keyframed,
    keyframed_mix,
    layer_or_file,
)
from vidstyle.core.plan import Plan, PlannedInput, PlannedStage
from vidstyle.core.sink import (
    FrameTime,
    Original,
    Packet,
    ReplayableWriter,
    Segment,
    Sink,
    Writer,
)
from vidstyle.core.source import Mark, Source
from vidstyle.core.span import Shelf, Span, SpanStage, SpanSteps
from vidstyle.core.stage import AnyStage, BaseStage, BatchStage, Layers, Stage, picture_filter
from vidstyle.core.state import State, load_state, save_state
from vidstyle.core.window import Window

__all__ = [
    "NOW",
    "AnyStage",
    "BaseStage",
    "BatchStage",
    "Clip",
    "Colour",
    "Frame",
    "FrameTime",
    "HostArray",
    "Layer",
    "Layers",
    "Mark",
    "Mix",
    "Needs",
    "Notice",
    "Original",
    "OtherStream",
    "Packet",
    "Place",
    "Plan",
    "PlannedInput",
    "PlannedStage",
    "Reach",
    "ReplayableWriter",
    "Segment",
    "Shelf",
    "Sink",
    "Source",
    "Span",
    "SpanStage",
    "SpanSteps",
    "Stage",
    "StageOptions",
    "State",
    "Window",
    "Writer",
    "keyframed",
    "keyframed_mix",
    "layer_or_file",
    "load_state",
    "picture_filter",
    "save_state",
]
