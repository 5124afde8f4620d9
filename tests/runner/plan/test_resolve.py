"""Every choice of a run is a value before the first frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest

from vidstyle.cli.main import run_command
from vidstyle.core import NOW, BaseStage, Clip, ExecutionContext, Needs, StageOptions
from vidstyle.core.errors import DeviceError, PipelineError, UsageError
from vidstyle.core.layers import Home
from vidstyle.runner.config.pipeline import Pipeline, StageEntry
from vidstyle.runner.plan.assembly import Assembly, assemble
from vidstyle.runner.plan.device import available_cores, resolve_device
from vidstyle.runner.plan.memory import process_memory
from vidstyle.runner.plan.resolve import make_plan

NOTHING = StageOptions()
CLIP = Clip(100, 50, Fraction(1, 25), Fraction(25))


class Half(BaseStage[StageOptions]):
    """Halves the image; says so or not."""

    def __init__(self, options: StageOptions, *, declares: bool = True) -> None:
        super().__init__(options)
        reads = {"image": NOW, "source": NOW}
        self.needs = Needs(reads=reads, writes=("image", "source"), geometry=declares)

    def describe(self, clip: Clip) -> Clip:
        return Clip(clip.width // 2, clip.height // 2, clip.time_base, clip.frame_rate)


class Filter(BaseStage[StageOptions]):
    needs = Needs(reads={"image": NOW}, writes=("image",))


class Sink:
    needs = Needs(reads={"image": NOW})

    def __init__(self, options: StageOptions) -> None:
        self._options = options

    def memory(self, clip: Clip, context: ExecutionContext) -> int:
        return 0

    def resolve(self, clip: Clip, context: ExecutionContext) -> StageOptions:
        return self._options


class Homely(StageOptions):
    home: Home | Literal["auto"] = "auto"


class Settling(BaseStage[Homely]):
    """Lives where its options say; what ``auto`` comes to it knows by the device alone."""

    Options = Homely

    def __init__(self, options: Homely) -> None:
        super().__init__(options)
        home: Home = "device" if options.home == "auto" else options.home
        self.needs = Needs(reads={"image": NOW}, writes=("image",), home=home)

    def resolve(self, clip: Clip, context: ExecutionContext) -> Homely:
        home: Home = "host" if context.device == "cpu" else "device"
        return Homely(home=home) if self.options.home == "auto" else self.options


def assembly_of(*stages: type[BaseStage[Any]], options: StageOptions = NOTHING) -> Assembly:
    classes = [("decode", object), *[("filter", stage) for stage in stages], ("encode", Sink)]
    entries = [
        StageEntry(f"{kind}-{number}", f"{kind}/test", kind, cls, options)
        for number, (kind, cls) in enumerate(classes)
    ]
    pipeline = Pipeline(1, tuple(entries), Path("p.yaml"))
    return assemble(pipeline, None, CLIP)  # type: ignore[arg-type]  # the source is not asked


def test_geometry_goes_down_the_pipeline() -> None:
    plan = make_plan(assembly_of(Half, Filter))
    sizes = [(stage.clip.width, stage.clip.height) for stage in plan.every]
    assert sizes == [(100, 50), (50, 25), (50, 25), (50, 25)]


def test_a_size_change_that_is_not_declared_is_refused() -> None:
    class Hidden(Half):
        def __init__(self, options: StageOptions) -> None:
            super().__init__(options)
            self.needs = Needs(reads={"image": NOW}, writes=("image",))

    with pytest.raises(PipelineError, match="without declaring geometry"):
        make_plan(assembly_of(Hidden))


def test_memory_is_the_sum_of_what_stages_and_queues_hold() -> None:
    plan = make_plan(assembly_of(Filter))
    image = 4 * 3 * 100 * 50
    # A frame in work and two that wait, at the stage; two that wait at the source; one at the sink.
    assert [stage.memory for stage in plan.every] == [2 * image, 3 * image, image]
    assert plan.memory == process_memory(torch=False) + 6 * image


def test_threads_and_device_are_resolved() -> None:
    plan = make_plan(assembly_of(Filter))
    assert plan.device == "cpu"
    assert plan.stages[0].context == ExecutionContext("cpu", threads=available_cores())


def test_the_stage_that_runs_has_the_resolved_options() -> None:
    assembly = assembly_of(Settling, options=Homely())
    (stage,), (planned,) = assembly.stages, make_plan(assembly).stages
    assert stage.needs.home == planned.needs.home == "host"
    assert planned.options == {"home": "host"}
    assert assembly.entries[0].options == Homely(home="host")


def test_equal_plans_have_equal_digests_and_others_do_not() -> None:
    assembly = assembly_of(Filter)
    assert make_plan(assembly).digest() == make_plan(assembly).digest()
    assert make_plan(assembly).digest() != make_plan(assembly, frames=(1, None)).digest()


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "", "CPU"])
def test_an_unknown_device_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="wanted auto, cpu, cuda"):
        resolve_device(name, needs_torch=False)


def test_a_gpu_that_is_not_there_is_a_device_error() -> None:
    with pytest.raises(DeviceError, match="usable GPUs"):
        resolve_device("cuda:99", needs_torch=True)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_missing_gpu_ends_the_command_with_its_code(
    names: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sample = Path(__file__).parents[3] / "samples" / "demo.mp4"
    identity = Path(__file__).parents[3] / "pipelines" / "identity.yaml"
    command = ["run", str(identity), str(sample), "-o", "out.mkv", "--device", "cuda:99"]
    assert run_command(command) == 8
    assert "usable GPUs" in capfd.readouterr().err
    assert list(names.iterdir()) == []
