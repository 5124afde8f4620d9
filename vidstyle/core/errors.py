"""Every error that a user can meet, each with the exit code it ends in.

The message is one line: what happened, where, what to do. Only the command line
prints it; a traceback is shown with ``--debug`` alone.
"""

from __future__ import annotations

import signal
from typing import ClassVar, Final

# Characters of another's message that fit a line that somebody reads: three lines of a terminal.
_LONGEST: Final = 240


def shorten_message(error: object) -> str:
    """Bring the message of foreign code into the form of ours.

    Args:
        error: What it has raised, or the text.

    Returns:
        One line that is not too long; empty where there is no message.
    """
    text = " ".join(str(error).split())
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… (all of it with --debug)"


class VidstyleError(Exception):
    """Base of all errors that are not bugs of ours."""

    exit_code: ClassVar[int] = 1


class UsageError(VidstyleError):
    """The command line or a combination of arguments cannot work."""

    exit_code = 2


class PipelineError(VidstyleError):
    """A pipeline file, an option, or the wiring of stages is wrong."""

    exit_code = 2


class InputError(VidstyleError):
    """The input cannot be read, or is not what the pipeline needs."""

    exit_code = 3


class WeightsError(VidstyleError):
    """A style or weight file is missing, damaged or of an unknown layout."""

    exit_code = 4


class PluginError(VidstyleError):
    """A plugin cannot be imported, or two claim one name."""

    exit_code = 5


class OutputError(VidstyleError):
    """The destination cannot be written."""

    exit_code = 6


class BatchError(VidstyleError):
    """Some clips of a batch failed; the rest are done."""

    exit_code = 7


class DeviceError(VidstyleError):
    """The device is absent or out of memory."""

    exit_code = 8


class NoMemoryError(DeviceError):
    """An allocation failed; less may fit."""


class LockedError(VidstyleError):
    """Another run is writing this output."""

    exit_code = 9


class StageError(VidstyleError):
    """A stage raised, or returned what it must not.

    Args:
        stage: Its name, as the pipeline names it.
        frame: Index of the frame in the source; None outside of a frame.
        reason: What failed, in words.
    """

    exit_code = 10

    def __init__(self, stage: str, frame: int | None, reason: str) -> None:
        where = f"stage {stage}" if frame is None else f"stage {stage}, frame {frame}"
        super().__init__(f"{where}: {reason}")
        self.stage = stage
        """Name of the stage as the pipeline has it."""
        self.frame = frame
        """Index of the frame in the source, or None outside of a frame."""
        self.reason = reason

    def __reduce__(self) -> tuple[type[StageError], tuple[str, int | None, str]]:
        return type(self), (self.stage, self.frame, self.reason)


class CrashError(VidstyleError):
    """The process that ran a clip has died: a library crashed, or somebody ended it."""

    exit_code = 10

    @classmethod
    def of_exit_code(cls, code: int | None) -> CrashError:
        """Make the error for a process that has died.

        Args:
            code: Its exit code; negative for the number of a signal; None where nobody knows.

        Returns:
            The error.
        """
        if code is None or code >= 0:
            return cls(f"the process of the clip has ended with code {code}")
        name = signal.Signals(-code).name
        if -code == signal.SIGKILL:
            advice = "is there enough memory?"
        else:
            advice = "if the sound is at fault, --set encode.audio=drop leaves it out"
        return cls(f"the process of the clip was ended by {name}: a library crashed; {advice}")


class Terminated(SystemExit):  # not an error: somebody asked for it
    """Somebody asked the process to end; no stage has failed."""


_OPENCV_NO_MEMORY = -4


def is_device_lost(error: BaseException) -> bool:
    """Return whether a GPU or its driver has gone: nothing on it works any more in this process.

    Args:
        error: Any exception.

    Returns:
        Whether it says so.
    """
    # By name, since torch takes seconds to import.
    text = str(error)
    return type(error).__name__ == "AcceleratorError" or text.startswith(
        ("CUDA error", "cuDNN error")
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an allocation failed, of Python, NumPy, OpenCV, or torch on any device.

    Args:
        error: Any exception.

    Returns:
        Whether it says so.
    """
    # By name, since torch takes seconds to import; on the CPU it has no class for this.
    if type(error).__module__ == "cv2":
        return getattr(error, "code", None) == _OPENCV_NO_MEMORY
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "DefaultCPUAllocator" in str(error)
    )
