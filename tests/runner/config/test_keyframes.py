from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from pydantic import ValidationError

from vidstyle.core import Mix, StageOptions, keyframed, keyframed_mix
from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.keyframes import (
    Keyframes,
    align_mixes,
    options_at,
    options_from_json,
    options_to_json,
)
from vidstyle.runner.config.stage_list import WrittenStage
from vidstyle.runner.config.stage_options import (
    ReadOptions,
    parse_time,
    read_options,
    read_points,
)
from vidstyle.runner.config.yaml_file import parse_value
from vidstyle.runner.config.yaml_values import Where, YamlMap

HERE = Where("p.yaml", 3, 5)


class Blend(StageOptions):
    strength: float = keyframed(0.5, ge=0, le=1)
    passes: int = 2


class Stylize(StageOptions):
    style: Mix = keyframed_mix(description="Which.")
    strength: float = keyframed(0.5, ge=0, le=1)


def written(text: str) -> YamlMap:
    value = parse_value(text, HERE)
    assert isinstance(value, YamlMap)
    return value


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", Fraction(0)),
        ("2s", Fraction(2)),
        ("1.5s", Fraction(3, 2)),
        ("0.1s", Fraction(1, 10)),
        ("100ms", Fraction(1, 10)),
        ("0.5ms", Fraction(1, 2000)),
        ("1:30", Fraction(90)),
        ("1:30.25", Fraction(361, 4)),
        ("1:02:03", Fraction(3723)),
        ("90:00", Fraction(5400)),
        ("1m30s", Fraction(90)),
        ("2m", Fraction(120)),
        ("1h2m3.5s", Fraction("3723.5")),
    ],
)
def test_a_time_is_exact_seconds(text: str, seconds: Fraction) -> None:
    assert parse_time(text, HERE) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "-1s",
        "1,5s",
        "2 s",
        "2d",
        "s",
        ".s",
        "1m:30",
        "1:",
        ":30",
        "1e3s",
        "2s\n",
        "٢s",
        "9" * 99 + "s",
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PipelineError, match=r"^p\.yaml:3:5: .*is not a time; write 2s") as caught:
        parse_time(text, HERE)
    assert "\n" not in str(caught.value)


def test_between_keyframes_the_value_goes_in_a_straight_line() -> None:
    points = ((0.0, 0.25), (1.0, 1.0), (3.5, 0.0), (4.0, 0.0))
    keys = Keyframes(tuple((Fraction(t), v) for t, v in points))
    times = np.linspace(-1, 5, 241)
    wanted = np.interp(times, *zip(*points, strict=True))
    got = [keys.value_at(Fraction(time)) for time in times]
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-15)


def test_values_are_constant_outside_and_exact_on_keyframes() -> None:
    keys = Keyframes(((Fraction(1, 3), 0.1), (Fraction(2, 3), 0.7)))
    assert keys.value_at(Fraction(0)) == 0.1
    assert keys.value_at(Fraction(1, 3)) == 0.1
    assert keys.value_at(Fraction(2, 3)) == 0.7
    assert keys.value_at(Fraction(10**9)) == 0.7


def test_a_value_between_two_equal_ones_is_that_value() -> None:
    keys = Keyframes(((Fraction(0), 0.1), (Fraction(7), 0.1)))
    assert {keys.value_at(Fraction(frame, 25)) for frame in range(175)} == {0.1}


@pytest.mark.parametrize("times", [(), (1, 1), (2, 1)])
def test_keyframes_out_of_order_cannot_be_made(times: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="in order of time"):
        Keyframes(tuple((Fraction(time), 0.0) for time in times))


def test_written_keyframes_are_put_in_order_of_time() -> None:
    points = read_points(written("{at: {1:00: 3, 500ms: 2, 0s: 1}}"), "option strength")
    assert [(time, value.value) for time, value in points] == [
        (0, 1),
        (Fraction(1, 2), 2),
        (60, 3),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{att: {0s: 1}}", "has no key att; write {at: {0s: 0, 2s: 1}}"),
        ("{at: {0s: 1}, ease: in}", "has no key ease"),
        ("{at: {}}", "wants a number, or {at: {0s: 0, 2s: 1}}"),
        ("{at: 3}", "got the number 3"),
        ("{}", "wants a number"),
        ("{at: {1s: 0, 1000ms: 1}}", "two values at 1000ms"),
        ("{at: {soon: 0}}", "soon is not a time"),
        ("{at: {0s: [1]}}", "wants a number at 0s, got a list of 1"),
    ],
)
def test_other_forms_are_refused(text: str, says: str) -> None:
    with pytest.raises(PipelineError) as caught:
        read_points(written(text), "option strength")
    assert says in str(caught.value)


def test_options_follow_their_keyframes_and_the_rest_stays() -> None:
    keys = Keyframes(((Fraction(0), 0.0), (Fraction(2), 1.0)))
    options = Blend(strength=0, passes=3)
    at_one = options_at(options, {"strength": keys}, Fraction(1))
    assert at_one == Blend(strength=0.5, passes=3)
    assert options.strength == 0


def test_options_without_keyframes_are_the_same_object_at_any_time() -> None:
    options = Blend()
    assert options_at(options, {}, Fraction(5)) is options


def read(text: str) -> ReadOptions:
    return read_options(WrittenStage("stylize", "stylize/x", written(text), HERE), Stylize)


def test_a_mix_goes_in_a_straight_line_in_each_weight_and_stays_whole() -> None:
    keys = Keyframes(
        align_mixes(
            [(Fraction(0), "a"), (Fraction(2), {"b": 1.0}), (Fraction(3), {"a": 0.5, "c": 0.5})]
        )
    )
    assert keys.value_at(Fraction(0)) == {"a": 1, "b": 0, "c": 0}
    assert keys.value_at(Fraction(1, 2)) == {"a": 0.75, "b": 0.25, "c": 0}
    assert keys.value_at(Fraction(5, 2)) == {"a": 0.25, "b": 0.5, "c": 0.25}
    assert keys.value_at(Fraction(9)) == {"a": 0.5, "b": 0, "c": 0.5}
    for frame in range(75):
        mix = keys.value_at(Fraction(frame, 25))
        assert isinstance(mix, dict)
        assert sum(mix.values()) == pytest.approx(1, abs=1e-12)


def test_a_mix_is_normalized_at_its_keyframes_and_names_all_from_the_start() -> None:
    options = read("{style: {at: {4s: {b: 3, c: 1}, 0s: a}}}")
    assert options.values.style == {"a": 1, "b": 0, "c": 0}
    assert options.keyframes["style"].points == (
        (0, {"a": 1, "b": 0, "c": 0}),
        (4, {"a": 0, "b": 0.75, "c": 0.25}),
    )
    at_one = options_at(options.values, options.keyframes, Fraction(1))
    assert at_one.model_dump() == {
        "style": {"a": 0.75, "b": 0.1875, "c": 0.0625},
        "strength": 0.5,
    }


def test_a_mix_that_does_not_change_is_no_keyframes() -> None:
    assert read("{style: {a: 3, b: 1}}").values.style == {"a": 0.75, "b": 0.25}
    assert read("{style: {a: 3, b: 1}}").keyframes == {}
    assert read("{style: a}").values.style == "a"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{style: {}}", "weights of a mix are at least 0, and one of them is more"),
        ("{style: {a: 0}}", "weights of a mix"),
        ("{style: {a: 2, b: -1}}", "weights of a mix"),
        ("{style: {a: x}}", "option style must be text or a number, got"),
        ("{style: {at: {0s: {a: -1}}}}", "weights of a mix"),
        ("{style: {at: {0s: {a: 1}, soon: b}}}", "soon is not a time"),
        ("{style: {at: {0s: a}, b: 1}}", "has no key b"),
        ("{style: {at: {0s: 3}}}", "option style must be text or a mapping, got the number 3"),
        ("{style: a, strength: {at: {0s: {a: 1}}}}", "option strength must be a number, got a map"),
        ("{style: a, strength: {a: 1}}", "has no key a; write {at: {0s: 0, 2s: 1}}"),
    ],
)
def test_a_bad_mix_is_refused(text: str, says: str) -> None:
    with pytest.raises(PipelineError) as caught:
        read(text)
    assert says in str(caught.value)


class Thorough(StageOptions):
    """An option of each sort that has a form of its own in JSON."""

    strength: float = keyframed(0.5, ge=0, le=1)
    style: Mix = keyframed_mix(description="Which.")
    rate: Fraction = Fraction(25)
    weights: Path | None = None
    scales: tuple[float, ...] = (1.0,)
    precision: Literal["float32", 16] = "float32"


@pytest.mark.parametrize(
    "text",
    [
        "{style: a}",
        "{style: {a: 0.1, b: 0.2, c: 0.7}}",
        "{style: {at: 1, b: 2}}",
        "{style: {at: {333ms: a, 1s: {b: 3, c: 1}, 2s: {at: 7, a: 0.1}}}}",
        "{style: a, strength: {at: {1:02:03.5: 0.3, 0.1s: 1e-17}}}",
        "{style: a, rate: 30000/1001, weights: w.pth, scales: [0.1, 2], precision: 16}",
    ],
)
def test_options_go_through_json_and_come_back_equal_bit_for_bit(text: str) -> None:
    read = read_options(WrittenStage("stylize", "stylize/x", written(text), HERE), Thorough)
    values = json.loads(json.dumps(options_to_json(read.values, read.keyframes)))
    options, keyframes = options_from_json(Thorough, values)
    assert options == read.values
    assert keyframes == read.keyframes
    assert options_to_json(options, keyframes) == values


def test_json_that_the_model_refuses_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        options_from_json(Thorough, {"style": "a", "strenth": 1})
