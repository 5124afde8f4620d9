"""The first lines of a report: what was judged, and by what."""

from __future__ import annotations

from collections.abc import Mapping

from vidstyle.evaluation.scores import Evaluation
from vidstyle.report.markup import Markup, element, joined


def headline(evaluations: Mapping[str, Evaluation], source: str, *, first_frame: int) -> Markup:
    """How many clips and frames, judged by which flow, and where the cuts are.

    ``source`` is the name of the source's file; ``first_frame`` the number of the first frame
    judged. Clips that were judged by different flows are said not to be comparable.
    """
    judges = sorted({evaluation.evaluator for evaluation in evaluations.values()})
    frames = max(evaluation.frames for evaluation in evaluations.values())
    what = "1 clip" if len(evaluations) == 1 else f"{len(evaluations)} clips"
    about = element(
        "p",
        {},
        f"{what} made from ",
        element("bdi", {}, source),
        f", frames {first_frame} to {first_frame + frames - 1}, judged by the optical flow of ",
        element("strong", {}, " and ".join(judges)),
        f". {_cuts(evaluations, first_frame)}",
    )
    if len(judges) == 1:
        return about
    words = "The clips were judged by different flows, so that their figures do not compare."
    return joined(about, element("p", {"class": "warning"}, words))


def _cuts(evaluations: Mapping[str, Evaluation], first_frame: int) -> str:
    cuts = next(iter(evaluations.values())).cuts
    if not cuts:
        return "There are no cuts."
    numbers = ", ".join(str(first_frame + cut) for cut in cuts)
    return f"A shot begins at frame {numbers}." if len(cuts) == 1 else f"Shots begin at {numbers}."
