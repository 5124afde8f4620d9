"""The contracts: what frames, clips and stages are. Stage authors import from here."""

from vidstyle.core.clip import Clip, Color, LightLevels, Mastering, Note, OtherStream
from vidstyle.core.context import ExecutionContext
from vidstyle.core.frame import Frame
from vidstyle.core.geometry import GeometryStage
from vidstyle.core.layers import HostArray, Layer
from vidstyle.core.needs import NOW, Needs, Reach
from vidstyle.core.options import (
    Mix,
    StageOptions,
    file_option,
    keyframed,
    keyframed_mix,
    layer_or_file,
)
from vidstyle.core.plan import Plan, PlannedInput, PlannedStage
from vidstyle.core.planes import PlaneFormat, Planes
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
from vidstyle.core.span import Scratch, Span, SpanStage, SpanSteps
from vidstyle.core.stage import AnyStage, BaseStage, BatchStage, Layers, Stage, image_filter
from vidstyle.core.state import State, load_state, save_state
from vidstyle.core.window import Window

__all__ = [
    "NOW",
    "AnyStage",
    "BaseStage",
    "BatchStage",
    "Clip",
    "Color",
    "ExecutionContext",
    "Frame",
    "FrameTime",
    "GeometryStage",
    "HostArray",
    "Layer",
    "Layers",
    "LightLevels",
    "Mark",
    "Mastering",
    "Mix",
    "Needs",
    "Note",
    "Original",
    "OtherStream",
    "Packet",
    "Plan",
    "PlaneFormat",
    "Planes",
    "PlannedInput",
    "PlannedStage",
    "Reach",
    "ReplayableWriter",
    "Scratch",
    "Segment",
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
    "file_option",
    "image_filter",
    "keyframed",
    "keyframed_mix",
    "layer_or_file",
    "load_state",
    "save_state",
]
