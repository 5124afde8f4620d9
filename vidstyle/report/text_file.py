"""Text written whole or not at all."""

from __future__ import annotations

from vidstyle.core.errors import OutputError
from vidstyle.runner.storage.destination import Destination


def write_text(destination: Destination, text: str) -> None:
    """Write the file in UTF-8 beside its destination, then put it in place.

    Raises OutputError where it cannot be written, or is there and is not to be replaced, and
    LockedError where another run writes it.
    """
    with destination.reserved():
        try:
            # A new file: whatever lies there by now, such as a link, is not written through.
            with destination.partial.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise OutputError(f"cannot write {destination.path}: {error.strerror}") from error
        destination.commit()
