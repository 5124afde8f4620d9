"""The stylizer of a pipeline alone, over frames that are in memory already.

    python -m vidstyle.evaluation.stylizer_alone PIPELINE CLIP FRAMES [STAGE.OPTION=VALUE …]

Prints the JSON lines of ``vidstyle run``, so that both can be timed in the same way.
"""

from __future__ import annotations

import sys
from functools import partial
from itertools import islice
from pathlib import Path

from vidstyle.evaluation.speed import tell
from vidstyle.runner.config.discovery import Registry, folders_from_environment
from vidstyle.runner.config.keyframes import options_at
from vidstyle.runner.config.pipeline import load_pipeline
from vidstyle.runner.execution.nodes import make_node
from vidstyle.runner.execution.reading import Reading
from vidstyle.runner.plan.device import limit_threads
from vidstyle.runner.plan.job import Job, prepared


def run(pipeline: Path, clip: Path, frames: int, overrides: list[str]) -> None:
    """Stylize the first frames of a clip, telling of each."""
    registry = Registry(folders_from_environment())
    loaded = load_pipeline(pipeline, registry=registry, overrides=overrides)
    job = Job(loaded, clip, Path("none.mkv"), frames=(0, frames))
    with prepared(job) as (assembly, plan):
        context = next(i for i, entry in enumerate(assembly.entries) if entry.kind == "stylize")
        parcels = list(islice(Reading(assembly.source, plan, assembly.inputs, None), frames))
        stage, planned = assembly.stages[context], plan.stages[context]
        stage.open(plan.source.clip, planned.context)
        limit_threads(planned.context.threads)
        entry = assembly.entries[context]
        node = make_node(planned, stage, partial(options_at, entry.options, entry.keyframes))
        for parcel in parcels:
            for done in node.push(parcel):
                done.cells["image"].at("host", "cpu")
                tell(done.index)
        stage.close()


if __name__ == "__main__":
    pipeline, clip, count, *overrides = sys.argv[1:]
    run(Path(pipeline), Path(clip), int(count), overrides)
