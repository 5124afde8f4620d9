"""The entry point: parses, runs a command, and turns every error into one line and a code."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer

from vidstyle import __version__

app = typer.Typer(
    name="vidstyle",
    help="Paint a video in a style, without flicker.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

INTERRUPTED, TERMINATED = 130, 143


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
    if debug:
        os.environ["VIDSTYLE_DEBUG"] = "1"
    level = logging.DEBUG if debug else logging.WARNING
    logging.basicConfig(level=level, format="%(name)s: %(message)s", stream=sys.stderr)


def main() -> None:
    """Run the command line; never returns."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command line and return its exit code; errors are one line on stderr."""
    return _exit_code(lambda: app(arguments, standalone_mode=False))


def _terminate(signum: int, frame: object) -> None:
    raise SystemExit(TERMINATED)


def _exit_code(command: Callable[[], Any]) -> int:
    try:
        code = command()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as leaving:
        if leaving.code == TERMINATED:
            return _fail("terminated; the destination is untouched", TERMINATED)
        return leaving.code if isinstance(leaving.code, int) else 1
    except BrokenPipeError:
        # Who reads our output has left, as `head` does; nothing can be told to them.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except typer.TyperException as error:
        return _usage(str(error), getattr(error, "exit_code", 2))
    except Exception as error:
        return _fail_with(error)
    if code == INTERRUPTED:
        # typer turns Ctrl-C into a code and says nothing.
        return _fail("interrupted; the destination is untouched", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _usage(message: str, code: int) -> int:
    """A wrong call is one line; a call without a command is answered with the help."""
    if not message.startswith("Usage:"):
        return _fail(message, code)
    print(message, file=sys.stderr)
    return code


def _fail_with(error: Exception) -> int:
    errors = import_module("vidstyle.core.errors")
    if os.environ.get("VIDSTYLE_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, errors.VidstyleError):
        return _fail(str(error), error.exit_code)
    return _fail(
        f"this is a bug in vidstyle: {type(error).__name__}: {error};"
        " run again as `vidstyle --debug …` and report what it shows",
        1,
    )


def _fail(message: str, code: int) -> int:
    print(f"vidstyle: {' '.join(message.split())}", file=sys.stderr)
    return code


for _command in ("run", "batch", "check", "evaluate", "stages", "styles", "schema"):
    import_module(f"vidstyle.cli.{_command}").register(app)
