"""Both networks are timed in turns, and evaluated by one loss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import pytest

Load = Callable[[str], ModuleType]
MakeStyle = Callable[..., Path]


def test_speed_needs_no_styles(benchmark: Load, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark("architectures").main(["--size", "48x32", "--repeats", "2"])
    fast, johnson, ratio = (line.split() for line in capsys.readouterr().out.splitlines()[1:])
    assert (fast[0], johnson[0]) == ("fast", "johnson")
    assert float(ratio[3]) == pytest.approx(float(johnson[1]) / float(fast[1]), rel=0.1)
    assert int(johnson[5].replace(",", "")) == 424_099


def test_styles_of_both_are_compared_and_shown(
    benchmark: Load,
    style: MakeStyle,
    photos: Path,
    style_images: Path,
    weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fast, johnson = (style(name, name, width=16) for name in ("fast", "johnson"))
    given = ["--size", "16x16", "--repeats", 1, "--fast", fast, "--johnson", johnson]
    given += [
        "--style-image",
        min(style_images.iterdir()),
        "--photos",
        photos,
        "--weights",
        weights,
    ]
    sheet = tmp_path / "sheet.png"
    benchmark("architectures").main([str(part) for part in (*given, "-o", sheet)])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    losses = {line[0]: [float(word) for word in line[1:]] for line in lines[7:9]}
    ratios = [float(word) for word in lines[9][3:]]
    wanted = [losses["fast"][at] / losses["johnson"][at] for at in (0, 2)]
    assert ratios == pytest.approx(wanted, rel=0.02)
    height, width = cv2.imread(str(sheet)).shape[:2]
    assert height > 4 * 36
    assert width > 3 * 40


def test_another_network_is_refused(
    benchmark: Load, style: MakeStyle, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    thin = style("thin", "fast", width=2)
    given = ["--fast", thin, "--johnson", thin, "--style-image", thin, "--photos", photos]
    with pytest.raises(SystemExit) as ended:
        benchmark("architectures").main([str(part) for part in given])
    assert ended.value.code == 2
    assert "is fast with 2 channels" in capsys.readouterr().err


def test_a_sheet_needs_both_styles(benchmark: Load, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmark("architectures").main(["-o", "sheet.png"])
    assert "need --fast, --johnson, --style-image and --photos" in capsys.readouterr().err


def test_actions_take_turns_and_the_first_turn_does_not_count(benchmark: Load) -> None:
    order: list[str] = []
    actions = {(name, ""): (lambda name=name: order.append(name)) for name in ("a", "b")}
    times = benchmark("architectures").medians(actions, 3)
    assert "".join(order) == "ab" * 4
    assert set(times) == set(actions)
