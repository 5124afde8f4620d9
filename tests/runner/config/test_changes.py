from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.changes import TypedOverride, parse_override
from vidstyle.runner.config.discovery import Registry
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.config.yaml_values import to_plain

ONE = "- use: blend/every\n  strength: 0.5"
TWO = "- use: filter/brighter\n- use: filter/brighter\n  as: last"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("blend.x=0.5", 0.5),
        ("blend.x=no", "no"),
        ("blend.x=a=b", "a=b"),
        ("blend.x= [1, 2]", [1, 2]),
        ("blend.x={at: {0s: 0}}", {"at": {"0s": 0}}),
        ("blend.x=null", None),
        ("blend.x=''", ""),
        ("blend.x='1'", "1"),
    ],
)
def test_the_value_is_yaml(text: str, value: Any) -> None:
    override = parse_override(text)
    assert (override.stage, override.option, to_plain(override.value)) == ("blend", "x", value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("blend.x", "stage.option=value"),
        ("blend=1", "names stage.option, got blend"),
        (".x=1", "names stage.option, got .x"),
        ("blend.=1", "names stage.option"),
        ("=1", "got nothing"),
        ("blend.x=", "no value after ="),
        ("blend.x=[", "not YAML"),
        ("blend.x=&a 1", "anchors"),
        ("blend.x=!!python/name:os.system y", "the tag"),
    ],
)
def test_a_malformed_override_repeats_itself_in_one_line(text: str, says: str) -> None:
    with pytest.raises(PipelineError) as caught:
        parse_override(text)
    assert str(caught.value).startswith(f"--set {text}: ")
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_override_replaces_what_the_file_has(
    write: Callable[..., Path], fake_stages: Registry
) -> None:
    pipeline = load_pipeline(
        write(ONE),
        registry=fake_stages,
        overrides=["blend.strength=0.1", "blend.strength=0.25", "encode.crf=30"],
    )
    assert pipeline.stages[1].options.model_dump()["strength"] == 0.25
    assert pipeline.stages[2].options.model_dump()["crf"] == 30


def test_keyframes_can_be_given_and_taken_away(
    write: Callable[..., Path], fake_stages: Registry
) -> None:
    given = load_pipeline(
        write(ONE), registry=fake_stages, overrides=["blend.strength={at: {0s: 0, 2s: 1}}"]
    )
    taken = load_pipeline(
        write("- use: blend/every\n  strength: {at: {0s: 0}}", "q.yaml"),
        registry=fake_stages,
        overrides=["blend.strength=0.75"],
    )
    assert list(given.stages[1].keyframes) == ["strength"]
    assert not taken.stages[1].keyframes


def test_one_of_two_stages_is_named_by_its_own_name(
    write: Callable[..., Path], fake_stages: Registry
) -> None:
    pipeline = load_pipeline(
        write(TWO), registry=fake_stages, overrides=["last.amount=1", "filter-1.amount=2"]
    )
    assert [stage.options.model_dump() for stage in pipeline.stages[1:3]] == [
        {"amount": 2},
        {"amount": 1},
    ]


def test_a_kind_reaches_its_one_stage_under_another_name(
    write: Callable[..., Path], fake_stages: Registry
) -> None:
    path = write("- use: filter/brighter\n  as: light")
    pipeline = load_pipeline(path, registry=fake_stages, overrides=["filter.amount=3"])
    assert pipeline.stages[1].options.model_dump() == {"amount": 3}


@pytest.mark.parametrize(
    ("middle", "text", "says"),
    [
        (TWO, "filter.amount=1", "filter may be any of filter-1, last; name one of them"),
        (
            ONE,
            "blnd.strength=1",
            "the pipeline has no stage blnd. Did you mean blend? Available: blend, decode, encode.",
        ),
        (ONE, "blend.strenght=1", "has no option strenght. Did you mean strength?"),
        (ONE, "blend.strength=2", "option strength must be at most 1, got the number 2"),
        (ONE, "blend.passes='2'", "option passes must be a whole number, got the text '2'"),
        (ONE, "blend.use=x", "has no option use"),
        (ONE, "blend.passes={at: {0s: 1}}", "option passes cannot change over time"),
    ],
)
def test_an_override_that_cannot_be_names_itself(
    middle: str, text: str, says: str, write: Callable[..., Path], fake_stages: Registry
) -> None:
    with pytest.raises(PipelineError) as caught:
        load_pipeline(write(middle), registry=fake_stages, overrides=[text])
    assert str(caught.value).startswith(f"--set {text}: ")
    assert says in str(caught.value)


def test_an_override_that_was_typed_otherwise_is_reported_as_typed(
    write: Callable[..., Path], fake_stages: Registry
) -> None:
    typed = TypedOverride("blend.strength=2", "--consistency 2")
    with pytest.raises(PipelineError, match=r"^--consistency 2: .* at most 1, got the number 2$"):
        load_pipeline(write(ONE), registry=fake_stages, overrides=[typed])
