"""No encoder makes the process a real-time one."""

from __future__ import annotations

import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest

from vidstyle.core import Clip
from vidstyle.stages.encode.codecs import CodecName
from vidstyle.stages.encode.encoder import EncodeOptions, new_encoder, resolve
from vidstyle.stages.encode.priority import usual_priority

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others have no such policies")


def policies() -> set[int]:
    return {os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()}


@pytest.mark.parametrize("codec", [name for name in get_args(CodecName) if name != "gif"])
def test_all_threads_keep_their_policy(codec: CodecName) -> None:
    before = policies()
    clip = Clip(160, 128, Fraction(1, 25), Fraction(25))
    encoder = new_encoder(resolve(EncodeOptions(codec=codec), clip, threads=2))
    assert policies() == before
    del encoder
    assert policies() == before


def test_a_policy_that_was_taken_is_given_back() -> None:
    before = policies()
    with usual_priority():
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    assert policies() == before
