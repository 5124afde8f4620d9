"""An output made again from its manifest, and compared with what it was."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import vidstyle
from vidstyle.core.errors import InputError, UsageError
from vidstyle.core.stop import StopRequest
from vidstyle.imaging.photo_file import holds_images
from vidstyle.media.container import open_input
from vidstyle.runner.config.recipe import from_recipe
from vidstyle.runner.execution.events import Listener
from vidstyle.runner.job import Job, prepared, run
from vidstyle.runner.plan.identity import content_digest, look_of
from vidstyle.runner.plan.stamp import differences, make_stamp
from vidstyle.runner.storage.destination import Destination
from vidstyle.runner.storage.made import known_digest, machine_profile
from vidstyle.runner.storage.records import Entry, Records


@dataclass(frozen=True, slots=True)
class Replay:
    """What makes an output again."""

    output: Path
    """The one that was made; it may be gone."""
    entry: Entry
    job: Job
    """Makes it again, at its own place only where that is empty."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The new output beside the old one."""

    frames: bool
    """Whether all frames are equal."""
    packets: bool
    """Whether the streams are, packet by packet; True where the old one is gone."""


def make_replay(
    output: Path,
    *,
    to: Path | None = None,
    device: str | None = None,
    overwrite: bool = False,
    plugins: Sequence[Path] = (),
) -> Replay:
    """Read the manifest of an output.

    Args:
        output: That was made.
        to: Where it is made again; None for its own place where that is empty, else beside it.
        device: Instead of the one that made it.
        overwrite: Whether what is at ``to`` may be replaced.
        plugins: Folders of stages. Those that the manifest names are not loaded: it may have come
            with a folder from anywhere.

    Raises:
        InputError: It has no manifest, or its source is gone.
        UsageError: It was made with folders of stages that are not among ``plugins``.
        OutputError: There is something at ``to``.
        PipelineError: A stage or an option of it does not exist any more.
        PluginError: A stage is broken.
    """
    entry = Records(output.parent).read(output)
    if entry is None:
        raise InputError(f"{output} has no manifest in {Records(output.parent).folder}")
    source = Path(entry.source)
    if not source.exists():
        raise InputError(f"the source of {output} is not there any more: {source}")
    beside = output.with_name(f"{output.stem}-replay{output.suffix}")
    target = to or (beside if output.exists() else output)
    Destination(target, overwrite).check(source)
    try:
        known = {folder.resolve() for folder in plugins}
        if missing := [name for name in entry.recipe["plugins"] if Path(name) not in known]:
            raise UsageError(
                f"{output} was made with stages of {missing[0]}: if you rely on that code, pass"
                f" --plugins {shlex.quote(str(missing[0]))}"
            )
        pipeline = from_recipe(entry.recipe, plugins=plugins)
        first, stop = entry.recipe["frames"]
        part = entry.recipe.get("split_shots")
        part = None if part is None else int(part)
        used = device or str(entry.recipe["device"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the manifest of {output} is damaged or of another version") from error
    job = Job(pipeline, source, target, used, (first, stop), split_shots=part, overwrite=True)
    return Replay(output, entry, job)


def changes_since(replay: Replay) -> Iterator[str]:
    """What is not as it was when the output was made, each as words for a line."""
    entry, job = replay.entry, replay.job
    with prepared(job) as (assembly, plan):
        digest = known_digest(job.input, look_of(job.input), entry)
        yield from differences(
            entry.stamp, make_stamp(assembly, plan, digest, replay.output.suffix)
        )
    if entry.version != vidstyle.__version__:
        yield f"vidstyle was {entry.version}, is {vidstyle.__version__}"
    now = machine_profile()
    for name in (name for name in entry.machine if entry.machine[name] != now.get(name)):
        yield f"{name} was {entry.machine[name]}, is {now.get(name, 'none')}"


def make_again(replay: Replay, listen: Listener, stop: StopRequest | None = None) -> Comparison:
    """Run it, and compare. Raises a VidstyleError as a run does."""
    result = run(replay.job, listen=listen, stop=stop)
    old, new = replay.output, replay.job.output
    there = old != new and old.exists()
    equal = not there or _packets_digest(old) == _packets_digest(new)
    return Comparison(result.digest == replay.entry.digest, equal)


def _packets_digest(path: Path) -> str:
    """Of all streams: a container may have a number that is new in each file. Images have none."""
    if holds_images(path):
        return content_digest(path)
    digest = hashlib.sha256()
    with open_input(path) as container:
        for packet in container.demux():
            facts = f"{packet.stream_index} {packet.pts} {packet.dts} {packet.size}\n"
            digest.update(facts.encode())
            digest.update(bytes(packet))
    return digest.hexdigest()
