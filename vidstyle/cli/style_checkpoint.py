"""The checkpoint of a training: whether to resume from it, and what an interrupted one keeps."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from vidstyle.cli.interruption import explain_interruption
from vidstyle.cli.terminal import say
from vidstyle.core.errors import DeviceError, OutputError, WeightsError
from vidstyle.models.weights.safetensors_file import read_metadata


def check_checkpoint(checkpoint: Path, *, resume: bool, overwrite: bool) -> None:
    """Say where the training begins.

    Raises:
        OutputError: an earlier training has left a checkpoint, and nothing says what to do with it.
    """
    if not checkpoint.exists():
        if resume:
            say(f"there is no {checkpoint}: starting from the beginning")
    elif resume:
        steps = read_metadata(checkpoint).get("iteration", "0")
        say(f"resuming after {steps} steps")
    elif not overwrite:
        raise OutputError(
            f"{checkpoint} is there from an earlier training: pass --resume, or"
            " --overwrite to start from the beginning"
        )


@contextmanager
def resumable(checkpoint: Path) -> Generator[None, None, None]:
    """Turn Ctrl-C and SIGTERM within into an error that says what is kept.

    Running out of memory becomes a DeviceError.
    """
    try:
        with explain_interruption(lambda: _what_is_kept(checkpoint)):
            yield
    except Exception as error:
        # torch's error is named without importing torch; on a processor it is the other one.
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
            raise DeviceError(
                "the training is out of memory: give a smaller --crop, --batch or --width,"
                " or another --device"
            ) from error
        raise


def _what_is_kept(checkpoint: Path) -> str:
    try:
        steps = read_metadata(checkpoint).get("iteration", "some")
    except WeightsError:
        return "no state was kept yet: run the same command to start from the beginning"
    return (
        f"{checkpoint} keeps the state after {steps} steps: "
        "run the same command with --resume to go on"
    )
