from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

from vidstyle.core.errors import PipelineError
from vidstyle.runner.config.yaml_file import parse_value, read_yaml
from vidstyle.runner.config.yaml_values import Where, YamlList, YamlMap, YamlScalar, to_plain

COMMAND = Where("--set a.b=c")


def read(tmp_path: Path, text: str) -> YamlMap:
    path = tmp_path / "p.yaml"
    path.write_bytes(text.encode())
    return read_yaml(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("Off", "Off"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2026-11-05", "2026-11-05"),
        ("1e3", 1000.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5e-1", -0.05),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("+7", 7),
        ("true", True),
        ("FALSE", False),
        ("tRUE", "tRUE"),
        ("null", None),
        ("~", None),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 1", "1"),
        ("!!float 1", 1.0),
        ("! 1", "1"),
        ("0.5.1", "0.5.1"),
        ("|-\n  1", "1"),
        ("é 画", "é 画"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(
    tmp_path: Path, text: str, value: str | float | bool | None
) -> None:
    got = read(tmp_path, f"a: {text}\n").items["a"]
    assert isinstance(got, YamlScalar)
    assert (type(got.value), got.value) == (type(value), value)


def test_nan_is_a_number(tmp_path: Path) -> None:
    got = read(tmp_path, "a: .NaN").items["a"]
    assert isinstance(got, YamlScalar)
    assert isinstance(got.value, float)
    assert math.isnan(got.value)


def test_nothing_after_a_colon_is_null(tmp_path: Path) -> None:
    assert to_plain(read(tmp_path, "a:\nb: 1")) == {"a": None, "b": 1}


def test_every_value_and_key_knows_its_place(tmp_path: Path) -> None:
    document = read(tmp_path, "version: 1\nstages:\n  - use: flow/dis\n    size: [3, é, 4]\n")
    stages = document.items["stages"]
    assert isinstance(stages, YamlList)
    (stage,) = stages.items
    assert isinstance(stage, YamlMap)
    size = stage.items["size"]
    assert isinstance(size, YamlList)
    places = [stages.where, stage.where, stage.keys["size"], size.where, size.items[2].where]
    assert [(where.line, where.column) for where in places] == [
        (3, 3),
        (3, 5),
        (4, 5),
        (4, 11),
        (4, 18),
    ]
    assert str(size.where) == f"{tmp_path / 'p.yaml'}:4:11"


def test_the_order_of_the_file_is_kept(tmp_path: Path) -> None:
    assert list(read(tmp_path, "z: 1\na: 2\nm: 3").items) == ["z", "a", "m"]


def test_what_is_read_equals_pyyaml_where_the_schemas_agree(tmp_path: Path) -> None:
    text = "a: {b: [1, 2.5, {c: d}], e: 'f'}\ng:\n- - h\n  - i\n- {}\n- []\nj: >\n  k\n  l\n"
    assert to_plain(read(tmp_path, text)) == yaml.safe_load(text)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert to_plain(read(tmp_path, "\ufeffversion: 1")) == {"version": 1}


def test_a_missing_file_names_its_neighbor(tmp_path: Path) -> None:
    (tmp_path / "temporal.yaml").write_text("version: 1")
    with pytest.raises(PipelineError, match=r"no such file\. Did you mean temporal\.yaml\?"):
        read_yaml(tmp_path / "temporl.yaml")


@pytest.mark.parametrize("name", [".", "nowhere/p.yaml", "a\0b", "x" * 5000])
def test_what_is_no_file_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(PipelineError) as caught:
        read_yaml(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)


def test_a_value_of_the_command_line_may_be_any_of_yaml() -> None:
    assert to_plain(parse_value("0.5", COMMAND)) == 0.5
    assert to_plain(parse_value("{at: {0s: 0, 1:30: 1}}", COMMAND)) == {"at": {"0s": 0, "1:30": 1}}
    assert to_plain(parse_value("[1, no]", COMMAND)) == [1, "no"]
    assert to_plain(parse_value("# nothing", COMMAND)) is None


@pytest.mark.parametrize("text", ["[1", "*a", "a: 1\na: 2", "\x1b", "\udcff", "!!python/name:x y"])
def test_a_bad_value_of_the_command_line_repeats_the_argument(text: str) -> None:
    with pytest.raises(PipelineError, match=r"^--set a\.b=c: ") as caught:
        parse_value(text, COMMAND)
    assert "\n" not in str(caught.value)
