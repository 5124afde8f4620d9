"""A run stays within its memory by fixed choices, or is refused with what would fit."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidstyle.cli.main import run_command
from vidstyle.core import NOW, BaseStage, Clip, ExecutionContext, Needs, StageOptions
from vidstyle.core.errors import DeviceError, UsageError
from vidstyle.core.plan import Plan
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.plan.assembly import assemble
from vidstyle.runner.plan.memory import parse_size, process_memory
from vidstyle.runner.plan.resolve import make_plan

ROOT = Path(__file__).parents[3]
NOTHING = StageOptions()
MIB = 2**20
BASE = process_memory(torch=False)
CLIP = Clip(1024, 1024, Fraction(1, 25), Fraction(25))
IMAGE = 12 * MIB
"""Of a layer of three channels."""


class Stylizer(BaseStage[StageOptions]):
    """Works in as much as a network of 32 channels."""

    needs = Needs(reads={"image": NOW}, writes=("image",))

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return 4 * 32 * clip.width * clip.height


class Sink:
    needs = Needs(reads={"image": NOW})

    def __init__(self, options: StageOptions) -> None: ...

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        return NOTHING

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return 7 * MIB


def plan(budget: int, *, queue: int | None = None, clip: Clip = CLIP) -> Plan:
    classes: list[tuple[str, Any]] = [("decode", object), ("stylize", Stylizer), ("encode", Sink)]
    entries = tuple(StageEntry(kind, f"{kind}/x", kind, cls, NOTHING) for kind, cls in classes)
    pipeline = Pipeline(1, entries, Path("p.yaml"), queue=queue)
    return make_plan(assemble(pipeline, None, clip), budget=budget)  # type: ignore[arg-type]  # the source is not asked


FRAMES = {2: 6 * IMAGE + 7 * MIB, 1: 4 * IMAGE + 7 * MIB, 0: IMAGE + 7 * MIB}
"""By queue: one in each queue place, one at the stage, one at the sink; without, one in all."""
WHOLE = 128 * MIB


@pytest.mark.parametrize(
    ("budget", "queue", "takes"),
    [
        (BASE + FRAMES[2] + WHOLE, 2, FRAMES[2] + WHOLE),
        (BASE + FRAMES[2] + WHOLE - 1, 1, FRAMES[1] + WHOLE),
        (BASE + FRAMES[1] + WHOLE - 1, 0, FRAMES[0] + WHOLE),
    ],
)
def test_the_fastest_choice_within_the_budget_is_taken(budget: int, queue: int, takes: int) -> None:
    made = plan(budget)
    assert made.queue == queue
    assert made.memory == BASE + takes <= budget


def test_a_queue_that_is_asked_for_is_kept() -> None:
    assert plan(10**10, queue=5).queue == 5
    with pytest.raises(DeviceError):
        plan(BASE + FRAMES[1] + WHOLE - 1, queue=5)


def test_what_cannot_fit_is_refused_with_what_would() -> None:
    with pytest.raises(
        DeviceError, match=r"for images of 1024x1024, the .* images of (\d+)x(\d+)\."
    ) as e:
        plan(BASE + 100 * MIB)
    side = int(str(e.value).split("images of ")[-1].split("x")[0])
    assert 800 < side < 1024
    small = Clip(side, side, Fraction(1, 25), Fraction(25))
    # Although what the sink takes does not shrink with the image here.
    assert 0.99 * 100 * MIB < plan(BASE + 100 * MIB, clip=small).memory - BASE <= 100 * MIB
    with pytest.raises(DeviceError, match=r"but --max-memory is .*iB\. Raise it\.$"):
        plan(BASE // 2)


class Precise(StageOptions):
    precision: str = "float32"


class Network(BaseStage[Precise]):
    Options = Precise
    needs = Stylizer.needs
    memory = Stylizer.memory


@pytest.mark.parametrize(("precision", "advised"), [("float32", True), ("bfloat16", False)])
def test_a_refusal_names_the_largest_stage_and_a_precision_that_takes_less(
    precision: str, advised: bool
) -> None:
    stages: list[tuple[str, Any, StageOptions]] = [
        ("decode", object, NOTHING),
        ("stylize", Network, Precise(precision=precision)),
        ("encode", Sink, NOTHING),
    ]
    entries = tuple(StageEntry(kind, f"{kind}/x", kind, *rest) for kind, *rest in stages)
    with pytest.raises(DeviceError, match=r"the largest part for stylize \(128 MiB\)") as error:
        assembly = assemble(Pipeline(1, entries, Path("p.yaml")), None, CLIP)  # type: ignore[arg-type]  # the source is not asked
        make_plan(assembly, budget=BASE + 100 * MIB)
    assert ("set stylize.precision=bfloat16" in str(error.value)) == advised


def test_images_that_are_the_source_still_are_counted_once() -> None:
    classes: list[tuple[str, Any]] = [("decode", object), ("filter", Looker), ("encode", Sink)]
    entries = tuple(StageEntry(kind, f"{kind}/x", kind, cls, NOTHING) for kind, cls in classes)
    made = make_plan(assemble(Pipeline(1, entries, Path("p.yaml")), None, CLIP))  # type: ignore[arg-type]  # the source is not asked
    assert made.memory == BASE + 6 * IMAGE + 7 * MIB


class Looker(BaseStage[StageOptions]):
    needs = Needs(reads={"image": NOW, "source": NOW})


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("3G", 3 * 2**30),
        ("1.5G", 3 * 2**29),
        ("800M", 800 * 2**20),
        ("2 GiB", 2**31),
        ("64mb", 2**26),
    ],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text, "--max-memory") == size


@pytest.mark.parametrize("text", ["", "0G", "-1G", "3", "500", "3T", "much", "1e9", "999999999"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--max-memory .*: wanted an amount of memory"):
        parse_size(text, "--max-memory")


def test_a_run_that_cannot_fit_ends_with_its_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline, clip = ROOT / "pipelines" / "identity.yaml", ROOT / "samples" / "demo.mp4"
    command = ["run", str(pipeline), str(clip), "-o", str(tmp_path / "out.mkv")]
    assert run_command([*command, "--max-memory", "180M"]) == 8
    assert "needs " in capfd.readouterr().err
    assert not list(tmp_path.iterdir())
