"""What 8 bits save and change is listed for each style, and what is too much ends with 1."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from vidstyle.models.openvino.runtime import has_native_bfloat16, has_vnni

Load = Callable[[str], ModuleType]
pytestmark = pytest.mark.skipif(
    not (has_vnni() and has_native_bfloat16()), reason="this processor has no VNNI with bfloat16"
)


def test_a_style_is_listed_with_its_time_and_its_worst_image(
    benchmark: Load, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "notes.txt").write_text("no image")
    with pytest.raises(SystemExit):
        benchmark("eight_bits").main(
            [str(photos), "--styles", "great-wave", "--repeats", "1", "--json"]
        )
    printed = capsys.readouterr()
    assert "notes.txt is left out" in printed.err
    [row] = json.loads(printed.out)
    assert row["style"] == "great-wave"
    assert row["convolutions"] == 9
    assert set(row["milliseconds"]) == {"float32", "bfloat16", "int8"}
    assert row["time"] == row["milliseconds"]["int8"] / row["milliseconds"]["bfloat16"]
    for precision in ("bfloat16", "int8"):
        assert set(row["differences"][precision]) == {f"{index}.png" for index in range(8)}
        assert all(0 < value < 20 for value in row["differences"][precision].values())


@pytest.mark.parametrize(("time", "worst", "holds"), [(7, 1.9, True), (8, 1, False), (7, 3, False)])
def test_what_is_too_slow_or_too_far_off_does_not_hold(
    benchmark: Load, time: float, worst: float, holds: bool
) -> None:
    differences = {one: {"a": worst, "b": 0.1} for one in ("bfloat16", "int8")}
    row = benchmark("eight_bits").Row("x", 9, {"bfloat16": 10, "int8": time}, differences)
    assert row.holds is holds
    assert row.worst("int8") == (worst, "a")


def test_what_cannot_be_read_at_all_is_an_error_in_one_line(
    benchmark: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(SystemExit) as ended:
        benchmark("eight_bits").main([str(tmp_path)])
    assert ended.value.code == 3
    assert "none of the files can be read" in capsys.readouterr().err
