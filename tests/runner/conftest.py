"""A folder of small stages, and a way to write pipelines of them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from vidstyle.runner.config.discovery import Registry

SOURCE = '''
    """Frames from nowhere."""
    from vidstyle.core import StageOptions

    class Nowhere:
        """Gives no frames.

        Never any.
        """
        Options = StageOptions
        def open(self, path, place): ...
        def frames(self, after=None): ...
        def mark(self): ...
        def close(self): ...

    STAGE = Nowhere
'''
SINK = """
    from typing import Literal
    from vidstyle.core import StageOptions

    class NowhereOptions(StageOptions):
        codec: Literal["libx264", "libx265", "ffv1"] = "libx264"
        crf: int = 18

    class Nowhere:
        Options = NowhereOptions
        def check(self, path, clip): ...
        def resolve(self, clip, place): ...
        def memory(self, clip, place): return 0
        def open(self, clip, place): ...
        def segment(self, clip): ...
        def join(self, segments, times, original, path): ...
        def close(self): ...

    STAGE = Nowhere
"""
BLEND = '''
    from __future__ import annotations
    from fractions import Fraction
    from pathlib import Path
    from typing import Literal
    from pydantic import BaseModel, Field, field_validator, model_validator
    from vidstyle.core import BaseStage, Needs, StageOptions, keyframed

    class Ease(BaseModel, extra="forbid"):
        power: float = 1
        name: str = "x"

    class EveryOptions(StageOptions):
        strength: float = keyframed(0.9, ge=0, le=1, description="How much.")
        floor: float = keyframed(0.0, ge=0, le=1)
        passes: int = Field(2, ge=1, le=8)
        kernel: Literal["bilinear", "cubic"] = "cubic"
        threads: int | Literal["auto"] = "auto"
        rate: Fraction = Fraction(25)
        size: tuple[int, int] = (16, 16)
        label: str = ""
        exact: bool = False
        mask: Path | None = None
        ease: Ease = Ease()

        @field_validator("label")
        @classmethod
        def _no_spaces(cls, value):
            if " " in value:
                raise ValueError("a label has no spaces")
            return value

        @model_validator(mode="after")
        def _ordered(self):
            if self.floor > self.strength:
                raise ValueError("floor is at most strength")
            return self

    class Every(BaseStage[EveryOptions]):
        """Has an option of every sort."""
        Options = EveryOptions
        needs = Needs(writes=("image",))
        def step(self, window, state):
            return {}, state

    STAGE = Every
'''
STYLIZE = """
    from pydantic import Field
    from vidstyle.core import BaseStage, Needs, StageOptions

    class StylizeOptions(StageOptions):
        style: str = Field(description="Which style.")

    class Stylize(BaseStage[StylizeOptions]):
        Options = StylizeOptions
        needs = Needs(writes=("image",))
        def step(self, window, state):
            return {}, state

    STAGE = Stylize
"""
FILTER = '''
    from vidstyle.core import HostArray, image_filter

    @image_filter
    def brighter(image: HostArray, *, amount: float = 0.1) -> HostArray:
        """Adds light."""
        return image + amount

    STAGE = brighter
'''


@pytest.fixture(scope="session")
def stage_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds decode/fake, blend/every, stylize/plain, filter/brighter and encode/fake."""
    folder = tmp_path_factory.mktemp("stages")
    for name, text in {
        "decode/fake": SOURCE,
        "encode/fake": SINK,
        "blend/every": BLEND,
        "stylize/plain": STYLIZE,
        "filter/brighter": FILTER,
    }.items():
        file = folder / f"{name}.py"
        file.parent.mkdir()
        file.write_text(textwrap.dedent(text))
    return folder


@pytest.fixture(scope="session")
def fake_stages(stage_folder: Path) -> Registry:
    return Registry([stage_folder])


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a pipeline: its top-level keys, or the lines between its decode and encode."""

    def write(text: str, name: str = "p.yaml", *, whole: bool = False) -> Path:
        body = textwrap.dedent(text).strip("\n")
        if not whole:
            body = (
                "version: 1\nstages:\n  - use: decode/fake\n"
                + textwrap.indent(body, "  ")
                + "\n  - use: encode/fake\n"
            )
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(body)
        return path

    return write
