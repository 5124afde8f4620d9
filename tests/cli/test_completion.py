"""What a shell is offered behind Tab, asked as bash asks for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def _complete(line: str, code: str = "-m vidstyle") -> list[str]:
    """The words that are offered for the last one of a line."""
    asked = {
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
        "_VIDSTYLE_COMPLETE": "complete_bash",
    }
    option, _, rest = code.partition(" ")
    done = subprocess.run(
        [sys.executable, option, rest],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("vidstyle st", ["stabilize", "stages", "styles"]),
        ("vidstyle --ver", ["--version"]),
        ("vidstyle styles t", ["train"]),
        ("vidstyle run temporal-", ["temporal-quality"]),
        ("vidstyle run temporal a.mp4 --style great", ["great-wave"]),
        ("vidstyle run temporal a.mp4 --keyframes", []),
        ("vidstyle run temporal a.mp4 --keep-c", ["--keep-colors"]),
        ("vidstyle run temporal a.mp4 --codec libx", ["libx264", "libx265"]),
        ("vidstyle run temporal a.mp4 --device c", ["cpu", "cuda"]),
        ("vidstyle image --start n", ["noise"]),
        ("vidstyle stages show blend/", ["blend/warped"]),
        ("vidstyle weights pull vgg", ["vgg16", "vgg19"]),
        ("vidstyle styles export mos", ["mosaic"]),
    ],
)
def test_names_are_offered(line: str, offered: list[str]) -> None:
    assert _complete(line) == offered


def test_commands_are_offered_without_their_modules() -> None:
    code = (
        "-c import sys\nfrom vidstyle.cli.main import run_command\nassert run_command([]) == 0\n"
        "assert not {'numpy', 'vidstyle.core', 'vidstyle.cli.run'} & sys.modules.keys()"
    )
    assert len(_complete("vidstyle ", code)) > 10


def test_a_shell_gets_a_script_that_asks_so() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "vidstyle", "--show-completion", "bash"],
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_VIDSTYLE_COMPLETE=complete_bash" in shown.stdout
    assert shown.stdout.rstrip().endswith("vidstyle")
