"""What lies at an output, held against what a run would make there now."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

import vidstyle
from vidstyle.core.errors import OutputError
from vidstyle.core.plan import Plan
from vidstyle.runner.config.pipeline import Pipeline
from vidstyle.runner.config.recipe import to_recipe
from vidstyle.runner.plan.assembly import Assembly
from vidstyle.runner.plan.device import available_cores
from vidstyle.runner.plan.identity import content_digest, library_versions, look_of
from vidstyle.runner.plan.stamp import SOURCE_CHANGED, Stamp, brief, differences, make_stamp
from vidstyle.runner.storage.finished import FinishedFrames, shorten_times
from vidstyle.runner.storage.records import Entry, Records, look_at

State: TypeAlias = Literal["absent", "done", "other", "foreign"]


@dataclass(frozen=True, slots=True)
class Made:
    """An output that has just been made."""

    source: Path
    source_look: str
    stamp: Stamp
    finished: FinishedFrames

    def entry(self, pipeline: Pipeline, plan: Plan, file: Path) -> Entry:
        """Its manifest; ``file`` is where it lies until it is renamed.

        The options of the pipeline are resolved.
        """
        interval = self.finished.interval
        return Entry(
            stamp=self.stamp,
            output=look_at(file),
            source=str(self.source.absolute()),
            source_look=self.source_look,
            recipe={
                **to_recipe(pipeline),
                "frames": plan.frames,
                "split_shots": None if plan.split is None else plan.split.frames,
                "device": plan.device,
            },
            frames=len(self.finished.times),
            digest=self.finished.digest,
            times=shorten_times(self.finished.times),
            interval=None if interval is None else (str(interval[0]), str(interval[1])),
            version=vidstyle.__version__,
            machine=machine_profile(),
            made=datetime.now(UTC).isoformat(timespec="seconds"),
        )


def machine_profile() -> Mapping[str, str]:
    """Processor, cores and libraries: where they differ, results may in their last bits."""
    return {
        "processor": platform.machine(),
        "cores": str(available_cores()),
        "python": platform.python_version(),
        **library_versions(),
    }


@dataclass(frozen=True, slots=True)
class Standing:
    """What lies at an output: nothing, what a run would make, or something else."""

    path: Path
    state: State
    """``other``: ours with another stamp; ``foreign``: not ours, or changed since."""
    found: tuple[str, ...] = ()
    """What differs, in words."""
    entry: Entry | None = None
    source: Path | None = None
    """What a run would make it of."""

    @property
    def source_alone(self) -> bool:
        """Whether it was made of an older source with the same options."""
        old, found = self.entry, self.found
        return self.state == "other" and old is not None and found == (SOURCE_CHANGED,)

    @property
    def sentence(self) -> str:
        """What is there, for messages."""
        match self.state:
            case "other" if self._of_another_source():
                assert self.entry is not None
                return f"{self.path} was made of another source, {self.entry.source}"
            case "other" if self.source_alone:
                return f"{self.path} was made before the source was changed"
            case "other":
                return f"{self.path} was made with other options: {brief(list(self.found))}"
            case "foreign" if self.entry is not None:
                return f"{self.path} was changed since it was made"
        return f"{self.path} exists"

    def _of_another_source(self) -> bool:
        """Whether the input has another name and other content; options may differ as well."""
        if self.entry is None or self.source is None or SOURCE_CHANGED not in self.found:
            return False
        return self.entry.source != str(self.source.absolute())

    def check(self) -> None:
        """Raise OutputError where a run would replace something that nobody gave up."""
        if self.state in ("other", "foreign"):
            raise OutputError(f"{self.sentence}; pass --overwrite to replace it")


def look_up(output: Path, source: Path, assembly: Assembly, plan: Plan) -> Standing:
    """Hold an output against the plan of a run; sources whose time is the same are not read."""
    if not output.exists():
        return Standing(output, "absent")
    entry = Records(output.parent).read(output)
    if entry is None or not entry.output.matches(output):
        return Standing(output, "foreign", entry=entry)
    digest = known_digest(source, look_of(source), entry)
    stamp = make_stamp(assembly, plan, digest, output.suffix)
    found = tuple(differences(entry.stamp, stamp))
    return Standing(output, "other" if found else "done", found, entry, source)


def known_digest(source: Path, look: str, entry: Entry | None) -> str:
    """SHA-256 of an input, from the manifest of its output where size and time are the same."""
    if entry is not None and (entry.source, entry.source_look) == (str(source.absolute()), look):
        return entry.stamp.source
    return content_digest(source)
