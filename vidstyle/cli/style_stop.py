"""A training that is stopped says in one line how to resume it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from vidstyle.cli.main import INTERRUPTED, TERMINATED
from vidstyle.core.errors import DeviceError, VidstyleError, WeightsError
from vidstyle.models.weights.safetensors_file import read_metadata


class InterruptedTrainingError(VidstyleError):
    """Ctrl-C."""

    exit_code = INTERRUPTED


class TerminatedTrainingError(VidstyleError):
    """SIGTERM."""

    exit_code = TERMINATED


@contextmanager
def resumable(checkpoint: Path) -> Generator[None, None, None]:
    """Turns Ctrl-C and SIGTERM within into an error of that code that says what is kept.

    Running out of memory becomes a DeviceError.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedTrainingError(f"interrupted; {_what_is_kept(checkpoint)}") from None
    except SystemExit as leaving:
        if leaving.code != TERMINATED:
            raise
        raise TerminatedTrainingError(f"terminated; {_what_is_kept(checkpoint)}") from None
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
