"""The entry point: run a command, and turn every error into one line and an exit code."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Annotated, Any

import typer

from vidstyle import __version__
from vidstyle.cli.command_list import CommandList
from vidstyle.cli.json_output import is_kept, json_only, keep_descriptor, output_stream, put_json
from vidstyle.cli.supervision import SUPERVISED, announce_end, work_under_supervision
from vidstyle.cli.terminal import VisibleFormatter, say, set_quiet, visible_lines

app = typer.Typer(
    name="vidstyle",
    cls=CommandList,
    help="Stylize video with temporal consistency.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# How the parser says what a number may be, and how people do.
_BOUNDS = {
    re.compile(r"Input should be greater than or equal to (\S+)"): r"wanted \1 or more",
    re.compile(r"Input should be less than or equal to (\S+)"): r"wanted \1 or less",
}
INTERRUPTED, TERMINATED = 130, 143
# Seconds for what is to be done where a second signal ends the process.
_FAREWELL = 10.0


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"vidstyle {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show the traceback of an error.", envvar="VIDSTYLE_DEBUG"),
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    set_quiet(False)
    if debug:
        os.environ["VIDSTYLE_DEBUG"] = "1"
    level = logging.DEBUG if debug else logging.WARNING
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(VisibleFormatter("%(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


def main() -> None:
    """Run the command line; never returns."""
    _open_closed_streams()
    _supervise(sys.argv[1:])
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As standard error does: a file name may hold bytes that are no text.
        sys.stdout.reconfigure(errors="backslashreplace")
    # OpenCV's readers print their own lines about a damaged image; ours is one line.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    # torch's threads spin while they wait for each other, which takes the cores from the other
    # stages and from other programs. With this they sleep after some microseconds.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    keep_descriptor(sys.argv[1:])
    code = run_command(sys.argv[1:])
    announce_end()
    threaded = sys.modules.get("vidstyle.runner.execution.threaded")
    if threaded is not None and threaded.still_working():
        # A thread is still inside of a library: do not unload it.
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Let no file or pipe get the number of a standard stream that is closed.

    Reading from one ends at once, and writing to one fails; what is printed is lost.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free.
            os.open(os.devnull, os.O_RDONLY)
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _supervise(arguments: list[str]) -> None:
    """Let another process do what may kill it, and leave with its code."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    if command not in SUPERVISED or not hasattr(os, "fork"):
        return
    ended = work_under_supervision()
    if ended is None:
        return
    code = os.waitstatus_to_exitcode(ended.status)
    if code < 0 or not ended.announced:
        with json_only(arguments):
            code = _fail_with(import_module("vidstyle.core.errors").CrashError.of_exit_code(code))
    os._exit(code)


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code. An error is one line on standard error."""
    with json_only(arguments):
        return _exit_code(lambda: app(arguments, standalone_mode=False, prog_name="vidstyle"))


STOPPERS: list[Callable[[BaseException], None]] = []
"""Called, the last one alone, with what a signal would raise: work that can store what it has
finished, and then raises that itself."""


def _interrupt(signum: int, frame: object) -> None:
    _stop(KeyboardInterrupt())


def _terminate(signum: int, frame: object) -> None:
    _stop(import_module("vidstyle.core.errors").Terminated(TERMINATED))


def _stop(reason: BaseException) -> None:
    _leave_at_once_next_time()
    if not STOPPERS:
        raise reason
    STOPPERS[-1](reason)


def _leave_at_once_next_time() -> None:
    """A second signal does not wait for the running step; the stored work is complete anyway."""
    for number, code in ((signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)):
        signal.signal(number, partial(_leave, code))


def _leave(code: int, signum: int, frame: object) -> None:
    def end(*_: object) -> None:
        word = "interrupted" if code == INTERRUPTED else "terminated"
        line = f"vidstyle: {word} at once; the same command resumes what is stored\n"
        with suppress(OSError):
            # Past Python's own buffer: the signal may have come in the midst of a line.
            os.write(2, line.encode())
        announce_end()
        os._exit(code)

    # Where that takes long, on a machine that is short of cores, or somebody is in a hurry.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, end)
    signal.setitimer(signal.ITIMER_REAL, _FAREWELL)
    import_module("vidstyle.core.stop").bid_farewell()
    end()


def _exit_code(command: Callable[[], Any]) -> int:
    try:
        code = command()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as leaving:
        if leaving.code == TERMINATED:
            return _fail("terminated; no output was changed", TERMINATED)
        return leaving.code if isinstance(leaving.code, int) else 1
    except BrokenPipeError:
        # The reader of our output has closed it, as `head` does.
        _close_output()
        return 1
    except typer.TyperException as error:
        return _usage(_complaint(error), getattr(error, "exit_code", 2))
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and not error.filename:
            _close_output()
            reason = f"cannot write to the standard output: {error.strerror}; free some space"
            return _fail_with(import_module("vidstyle.core.errors").OutputError(reason))
        return _fail_with(error)
    if code == INTERRUPTED:
        # typer turns Ctrl-C into a code and prints nothing.
        return _fail("interrupted; no output was changed", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _close_output() -> None:
    """Let nothing be written at the end that could not be written before."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), output_stream().fileno())


def _complaint(error: typer.TyperException) -> str:
    """The parser's message, with the option or argument that it is about, and what is near."""
    if near := getattr(error, "possibilities", None):
        return f"{error}. Did you mean {near[0]}?"
    if getattr(error, "param", None) is None:
        return str(error)
    message = error.format_message().replace("Value error, ", "")
    for bound, words in _BOUNDS.items():
        message = bound.sub(words, message)
    return message


def _usage(message: str, code: int) -> int:
    """A wrong call is one line; a call without a command prints the help."""
    if not message.startswith("Usage:"):
        # The parser breaks lines between choices.
        return _fail(" ".join(message.split()), code)
    print(visible_lines(message), file=sys.stderr)
    return code


def _fail_with(error: Exception) -> int:
    errors = import_module("vidstyle.core.errors")
    if os.environ.get("VIDSTYLE_DEBUG"):
        print(visible_lines("".join(traceback.format_exception(error))), file=sys.stderr)
    if not isinstance(error, errors.VidstyleError):
        # Nothing but a pipeline's stages loads plugins.
        plugins = sys.modules.get("vidstyle.runner.config.plugin_lines")
        error = (plugins and plugins.plugin_error(error)) or error
    if isinstance(error, errors.PipelineError | errors.PluginError):
        # A line for each fault.
        return _fail(str(error), error.exit_code, lines=str(error).split("\n"))
    if isinstance(error, errors.VidstyleError):
        return _fail(str(error), error.exit_code)
    return _fail(
        f"this is a bug in vidstyle: {type(error).__name__}: {errors.shorten_message(error)};"
        " run again as `vidstyle --debug …` and report the traceback",
        1,
    )


def _fail(message: str, code: int, *, lines: Sequence[str] = ()) -> int:
    for line in lines or [message]:
        say(f"vidstyle: {line}")
    if is_kept():
        # Whoever reads the output may have gone.
        with suppress(OSError):
            put_json({"event": "error", "message": message, "exit_code": code})
    return code
