"""What cannot be wired is refused before a frame is decoded."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from vidstyle.core import NOW, Clip, Needs, Reach
from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.yaml_values import Where
from vidstyle.runner.plan.wiring import Wire, check_wiring, frame_bytes, layers_kept

CLIP = Clip(10, 4, Fraction(1, 25))
SHOTS = Wire("shots", "shots", Needs(reads={"source": Reach(behind=1)}, writes=("cut",)))
FLOW = Wire("flow", "flow", Needs(reads={"source": Reach(behind=1)}, writes=("flow", "visible")))
BLEND = Wire(
    "blend",
    "blend",
    Needs(reads={"image": NOW, "flow": NOW, "visible": NOW}, writes=("image",), scope="shot"),
)
SINK = Wire("encode", "encode", Needs(reads={"image": NOW, "alpha": Reach(optional=True)}))
SCALE = Wire(
    "scale",
    "filter",
    Needs(reads={"image": NOW, "source": NOW}, writes=("image", "source"), geometry=True),
)


def test_a_complete_pipeline_is_accepted() -> None:
    check_wiring([SCALE, SHOTS, FLOW, BLEND, SINK], CLIP)


def test_a_layer_that_nobody_writes_is_named_with_the_remedy() -> None:
    with pytest.raises(
        PipelineError, match=r"stage blend reads the layers flow and visible,.*put flow/dis"
    ):
        check_wiring([SHOTS, BLEND, SINK], CLIP)


def test_a_stage_with_state_before_shots_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"blend keeps a state.*move it behind"):
        check_wiring([FLOW, BLEND, SHOTS, SINK], CLIP)


def test_a_size_change_behind_flow_is_refused() -> None:
    with pytest.raises(PipelineError, match="scale changes the image's size"):
        check_wiring([FLOW, SCALE, BLEND, SINK], CLIP)


REDUCE = Wire(
    "reduce",
    "geometry",
    Needs(
        reads={"image": NOW, "source": NOW},
        writes=("image", "source", "full_source"),
        geometry=True,
    ),
)
RESTORE = Wire(
    "restore",
    "geometry",
    Needs(
        reads={"image": NOW, "source": NOW, "full_source": NOW},
        writes=("image", "source"),
        geometry=True,
        restores=True,
    ),
)


def test_a_stage_that_restores_the_size_stands_behind_flow() -> None:
    check_wiring([REDUCE, SHOTS, FLOW, BLEND, RESTORE, SINK], CLIP)
    # Frames are whole again: their size may change, and their motion be found.
    check_wiring([REDUCE, SHOTS, FLOW, BLEND, RESTORE, SCALE, FLOW, BLEND, SINK], CLIP)


def test_layers_of_the_smaller_size_end_where_it_does() -> None:
    with pytest.raises(PipelineError, match="blend reads the layers flow and visible"):
        check_wiring([REDUCE, FLOW, RESTORE, BLEND, SINK], CLIP)


def test_between_the_two_no_size_changes() -> None:
    with pytest.raises(PipelineError, match="scale changes the image's size"):
        check_wiring([REDUCE, SCALE, RESTORE, SINK], CLIP)


def test_nothing_is_restored_that_was_not_reduced() -> None:
    with pytest.raises(PipelineError, match=r"reads the layer full_source.*put geometry/reduce"):
        check_wiring([RESTORE, SINK], CLIP)


def test_layers_of_full_size_count_as_such() -> None:
    small = replace(CLIP, full_size=(20, 8))
    assert frame_bytes(["source", "full_source"], small) == 4 * 3 * (10 * 4 + 20 * 8)
    assert frame_bytes(["face", "full_face"], small) == 4 * (10 * 4 + 20 * 8)


def test_only_geometry_stages_write_source() -> None:
    wire = Wire("odd", "filter", Needs(reads={"source": NOW}, writes=("source",)))
    with pytest.raises(PipelineError, match="odd writes source"):
        check_wiring([wire, SINK], CLIP)


def test_geometry_stages_write_every_image_that_there_is() -> None:
    wire = Wire("crop", "filter", Needs(reads={"image": NOW}, writes=("image",), geometry=True))
    with pytest.raises(PipelineError, match=r"crop changes .* must also write source"):
        check_wiring([wire, SINK], CLIP)
    with pytest.raises(PipelineError, match="must also write alpha"):
        check_wiring([SCALE, SINK], replace(CLIP, alpha=True))


def test_a_clip_is_cut_once_and_by_a_stage_that_says_where() -> None:
    with pytest.raises(PipelineError, match="2 stages of kind shots"):
        check_wiring([SHOTS, SHOTS, SINK], CLIP)
    with pytest.raises(PipelineError, match="writes no cut"):
        check_wiring([Wire("shots", "shots", Needs(reads={"source": NOW})), SINK], CLIP)


def test_layers_are_dropped_after_their_last_reader() -> None:
    assert layers_kept([SHOTS, FLOW, BLEND, SINK]) == [
        ("alpha", "image", "source"),
        ("alpha", "cut", "image", "source"),
        ("alpha", "flow", "image", "visible"),
        ("alpha", "image"),
        (),
    ]


def test_memory_counts_channels() -> None:
    assert frame_bytes(["image", "flow", "visible", "cut"], CLIP) == 4 * 40 * 6


MASKED = Wire("mask", "filter", Needs(reads={"image": NOW, "face": NOW}, writes=("image",)))


def test_a_side_input_is_there_for_every_stage() -> None:
    check_wiring([MASKED, SHOTS, FLOW, MASKED, SINK], CLIP, ["face"])
    assert "face" in layers_kept([MASKED, SINK])[0]
    with pytest.raises(PipelineError, match="stage mask reads the layer face"):
        check_wiring([MASKED, SINK], CLIP)


def test_a_side_input_that_nobody_reads_is_refused() -> None:
    with pytest.raises(PipelineError, match="no stage reads the side input hand; name it"):
        check_wiring([MASKED, SINK], CLIP, ["face", "hand"])


def test_a_side_input_that_a_stage_writes_is_refused() -> None:
    writer = Wire("find", "filter", Needs(reads={"image": NOW}, writes=("face",)))
    with pytest.raises(PipelineError, match="stage find writes the layer face, which is also"):
        check_wiring([writer, MASKED, SINK], CLIP, ["face"])


def test_a_side_input_does_not_pass_a_change_of_size() -> None:
    check_wiring([MASKED, SCALE, SINK], CLIP, ["face"])
    with pytest.raises(PipelineError, match=r"stage scale changes .* face, which stage mask reads"):
        check_wiring([SCALE, MASKED, SINK], CLIP, ["face"])


def test_a_stage_that_puts_a_side_input_into_the_image_reads_it() -> None:
    """It changes the image's size, and the side input ends there."""
    reads = {"image": NOW, "other": NOW}
    compare = Wire(
        "compare", "filter", Needs(reads=reads, writes=("source", "image"), geometry=True)
    )
    sink = Wire("pyav", "encode", Needs(reads={"image": NOW}))
    clip = Clip(64, 48, Fraction(1, 25))
    check_wiring([compare, sink], clip, ["other"])
    with pytest.raises(PipelineError, match="changes the image's size, and the side input other"):
        check_wiring([compare, replace(compare, name="again"), sink], clip, ["other"])


def test_every_fault_is_reported_with_its_place() -> None:
    wires = [
        replace(BLEND, where=Where("p.yaml", 4, 10)),
        replace(SHOTS, where=Where("p.yaml", 6, 10)),
        replace(SCALE, where=Where("p.yaml", 7, 10)),
        SINK,
    ]
    with pytest.raises(PipelineError) as caught:
        check_wiring(wires, CLIP, ["face"], {"face": Where("p.yaml", 2, 10)})
    assert str(caught.value).split("\n") == [
        "p.yaml:2:10: no stage reads the side input face; name it at a stage, as in `mask: face`,"
        " or remove it",
        "p.yaml:4:10: stage blend reads the layers flow and visible, which no stage before it"
        " writes; put flow/dis before it",
        "p.yaml:4:10: stage blend keeps a state and stands before shots; move it behind",
    ]


def test_a_missing_layer_is_reported_once() -> None:
    with pytest.raises(PipelineError) as caught:
        check_wiring([BLEND, replace(BLEND, name="again"), SINK], CLIP)
    assert "again" not in str(caught.value)
