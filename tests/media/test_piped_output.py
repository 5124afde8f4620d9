"""What takes bytes at once, and knows whether somebody reads them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.media.piped_inputs import Receiver, noise
from vidstyle.core.errors import OutputError
from vidstyle.media.piped_output import FileOutput, PipedOutput


def test_all_bytes_arrive() -> None:
    receiver, data = Receiver(), noise(300_000)
    output = PipedOutput(receiver.descriptor)
    assert output.write(data) == len(data)
    output.check()
    output.check_reader()
    assert receiver.close() == data


def test_a_reader_that_has_gone_is_found_without_writing_and_by_writing() -> None:
    for find in (PipedOutput.check_reader, lambda output: output.write(b"more")):
        reading, writing = os.pipe()
        output = PipedOutput(writing)
        output.check_reader()
        os.close(reading)
        with pytest.raises(OutputError, match="nobody reads the standard output any more"):
            find(output)
            output.check()
        # What closes a file writes its end: into nothing.
        assert output.write(b"end") == 3
        os.close(writing)


def test_nothing_is_written_after_a_failure() -> None:
    receiver = Receiver()
    output = PipedOutput(receiver.descriptor)
    output.write(b"before")
    output.abandon(KeyboardInterrupt())
    output.write(b"behind")
    assert receiver.close() == b"before"


def test_a_full_disk_is_an_error_of_the_output(tmp_path: Path) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    output = PipedOutput(descriptor)
    output.write(b"bytes")
    with pytest.raises(OutputError, match="cannot write to the standard output: No space left"):
        output.check()
    os.close(descriptor)
    with pytest.raises(OutputError, match="cannot write"):
        FileOutput(tmp_path / "no" / "folder.mkv")
