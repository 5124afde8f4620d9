"""For stage authors: the check suite and clips with known motion."""

from vidstyle.testing.checks import (
    Check,
    CheckResult,
    CheckResults,
    check_source,
    checks_for,
    checks_for_sink,
    checks_for_source,
    checks_of,
    failed,
    results,
    run_checks,
)
from vidstyle.testing.clips import (
    SyntheticClip,
    hard_cut,
    occluder,
    pan,
    render_scenes,
    still,
    zoom,
)
from vidstyle.testing.scene import Scene, Surface
from vidstyle.testing.subject import Subject

__all__ = [
    "Check",
    "CheckResult",
    "CheckResults",
    "Scene",
    "Subject",
    "Surface",
    "SyntheticClip",
    "check_source",
    "checks_for",
    "checks_for_sink",
    "checks_for_source",
    "checks_of",
    "failed",
    "hard_cut",
    "occluder",
    "pan",
    "render_scenes",
    "results",
    "run_checks",
    "still",
    "zoom",
]
