"""What ``--pairs`` was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

from vidstyle.core.errors import InputError, UsageError
from vidstyle.runner.config.suggest import abbreviate
from vidstyle.training.pair_choice import MOTION, PairChoice


def pairs_of(text: str) -> PairChoice:
    """``motion``, or ``kind:path``. Raises UsageError, and InputError for a path of nothing."""
    kind, colon, path = text.partition(":")
    kinds = get_args(get_type_hints(PairChoice)["kind"])
    wanted = ", ".join(k if k == MOTION.kind else f"{k}:PATH" for k in kinds)
    if kind not in kinds or bool(path) != (kind != MOTION.kind) or (colon and not path):
        raise UsageError(f"--pairs {abbreviate(text)}: wanted {wanted}")
    if not path:
        return MOTION
    if not Path(path).exists():
        raise InputError(f"--pairs {abbreviate(text)}: there is no {abbreviate(path)}")
    return PairChoice(cast("Any", kind), Path(path))
