"""Nothing that a file is called, or has in its tags, moves the cursor or changes the screen."""

from __future__ import annotations

import json
import logging
import os
import pty
import re
import subprocess
import sys
import unicodedata
from threading import Thread

import pytest

from vidstyle.cli.main import run_command
from vidstyle.cli.terminal import VisibleFormatter, visible

ENDINGS = {
    "color": "\x1b[31mred",
    "title": "\x1b]0;pwned\x07",
    "C1": "\x9b31m",
    "delete": "a\x7f",
    "newline": "two\nlines",
    "return": "real\rfake",
    "direction": "cod.\u202e4pm",
}


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0x202E, 0xDCE9])
def test_what_a_terminal_obeys_is_an_escape(code: int) -> None:
    shown = visible(f"a{chr(code)}b")
    assert shown.isprintable()
    assert eval(f"'{shown}'") == f"a{chr(code)}b"


@pytest.mark.parametrize(
    "text", ["clip.mp4", "C:\\x1b", "Müller 東京\u3000 é.mp4", "50% [red] :ok:"]
)
def test_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_log_record_keeps_its_lines_alone() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "read %s", ("\x1b[2J\x9b",), None)
    assert VisibleFormatter("%(message)s").format(record) == "read \\x1b[2J\\x9b"


def is_quiet(text: str) -> bool:
    return all(
        letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cf") for letter in text
    )


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("there", [True, False])
def test_a_name_is_shown_escaped_and_carried_whole(  # type: ignore[no-untyped-def]  # fixtures
    folder, write_clip, capfd, name, there
) -> None:
    clip = f"{ENDINGS[name]}.mp4"
    if there:
        write_clip(folder / clip, count=3)
    output = f"{ENDINGS[name]}.mkv"
    assert run_command(["run", "identity.yaml", clip, "-o", output]) == (0 if there else 3)
    errors = capfd.readouterr().err
    assert is_quiet(errors)
    assert visible(ENDINGS[name]) in errors
    assert len(errors.splitlines()) == (5 if there else 1)
    if there:
        assert (
            run_command(["run", "identity.yaml", clip, "-o", output, "--json", "--overwrite"]) == 0
        )
        out = capfd.readouterr().out
        assert is_quiet(out)
        assert json.loads(out.splitlines()[-1])["output"] == output


def test_a_traceback_is_shown_escaped_too(folder, capfd, monkeypatch) -> None:  # type: ignore[no-untyped-def]  # fixtures
    monkeypatch.setenv("VIDSTYLE_DEBUG", "1")
    assert run_command(["run", "identity.yaml", "\x1b[2J.mp4", "-o", "out.mkv"]) == 3
    output = capfd.readouterr().err
    assert "Traceback" in output
    assert is_quiet(output)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["[red]x", "[x", "\x1b]0;pwned\x07", ":smile:"])
def test_a_bar_shows_a_name_as_it_is(folder, write_clip, name) -> None:  # type: ignore[no-untyped-def]  # fixtures
    write_clip(folder / "in.mp4", count=3)
    # A bar is only drawn on a terminal.
    output = on_a_terminal("run", "identity.yaml", "in.mp4", "-o", f"{name}.mkv")
    assert "\x1b]0;" not in output
    in_bar, written = output.split(f"wrote {visible(name)}.mkv")
    assert f"{visible(name)}.mkv" in in_bar + written


def on_a_terminal(*arguments: str) -> str:
    """What a command writes on a terminal."""
    ours, theirs = pty.openpty()
    output = bytearray()

    def read() -> None:
        # Linux ends the reading of a terminal that is gone with an error.
        try:
            while part := os.read(ours, 4096):
                output.extend(part)
        except OSError:
            return

    reader = Thread(target=read)
    reader.start()
    command = [sys.executable, "-m", "vidstyle", *arguments]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    done = subprocess.run(
        command, stderr=theirs, stdout=subprocess.DEVNULL, env=environment, check=False
    )
    os.close(theirs)
    reader.join(10)
    os.close(ours)
    assert done.returncode == 0, output
    return output.decode()


@pytest.mark.slow
def test_a_batch_shows_all_clips_and_each_that_runs(folder, write_clip) -> None:  # type: ignore[no-untyped-def]  # fixtures
    for name in ("a", "[red]b"):
        write_clip(folder / "clips" / f"{name}.mp4", count=60)
    output = on_a_terminal("batch", "identity.yaml", "clips", "-o", "out", "--jobs", "2")
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)
    bars, table = plain.split("clip   ", 1)
    assert re.search(r"all clips +\S+ .*\d+:\d\d left, \d of 2 clips, frame \d+ of 120, ", bars)
    assert re.search(r"  a\.mp4 +\S+ \d+ of 60", bars)
    assert "  [red]b.mp4 " in bars
    assert "2 clips: 2 done; 120 frames in 0:0" in table
