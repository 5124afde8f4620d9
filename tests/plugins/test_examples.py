"""The worked examples run, keep the contract, and do what their guide says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vidstyle.core import Window
from vidstyle.runner.config.discovery import Registry
from vidstyle.testing import checks_for, failed, pan, run_checks

PLUGINS = Path(__file__).parents[2] / "plugins"
NAMES = tuple(sorted(f"{path.parent.name}/{path.stem}" for path in PLUGINS.glob("*/*.py")))


def stage(name: str) -> type[Any]:
    return Registry([PLUGINS]).find(name)


def stylized(cls: type[Any], image: Any, state: Any = None, **options: Any) -> Any:
    """Image and state after one step."""
    chosen = cls.Options(**options)
    frame = pan(frames=1).frames[0]
    now = type(frame)(0, 0, 1, {"image": np.asarray(image, np.float32)})
    layers, state = cls(chosen).step(Window(now, chosen), state)
    return layers["image"], state


def test_there_are_examples() -> None:
    assert set(NAMES) == {"filter/duotone", "filter/trails", "flow/ptlflow"}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_listed_and_not_broken(name: str) -> None:
    listed = {entry.name: entry for entry in Registry([PLUGINS]).list()}[name]
    assert listed.broken is None
    assert listed.summary


@pytest.mark.parametrize(
    ("name", "check"),
    [
        *checks_for(stage("filter/duotone"), strength=0.7),
        *checks_for(stage("filter/trails"), fade=0.9),
    ],
)
def test_an_example_keeps_the_contract(name: str, check: Any) -> None:
    check()


def test_duotone_prints_black_in_ink_and_white_on_paper() -> None:
    image, _ = stylized(stage("filter/duotone"), [[[0, 0, 0], [1, 1, 1]]])
    np.testing.assert_allclose(image, [[[0.10, 0.13, 0.36], [1.00, 0.93, 0.80]]], atol=1e-6)


def test_duotone_of_no_strength_changes_nothing() -> None:
    image = pan(frames=1).frames[0].host("image")
    result, _ = stylized(stage("filter/duotone"), image, strength=0.0)
    np.testing.assert_array_equal(result, image)


def test_trails_fade_by_the_same_share_each_frame() -> None:
    bright, dark = np.ones((2, 2, 3)), np.zeros((2, 2, 3))
    image, state = stylized(stage("filter/trails"), bright, fade=0.5)
    levels = [float(image.max())]
    for _ in range(3):
        image, state = stylized(stage("filter/trails"), dark, state, fade=0.5)
        levels.append(float(image.max()))
    assert levels == [1, 0.5, 0.25, 0.125]


def test_a_plugin_that_breaks_the_contract_is_found(tmp_path: Path) -> None:
    code = (PLUGINS / "filter" / "duotone.py").read_text()
    path = tmp_path / "filter" / "duotone.py"
    path.parent.mkdir()
    path.write_text(code.replace("mixed.clip(0, 1)", "mixed * 2"))
    reasons = failed(run_checks(Registry([tmp_path]).find("filter/duotone")))
    assert set(reasons) == {"written_layers_are_sound"}
