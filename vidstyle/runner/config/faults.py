"""Several errors of one file, raised together: a user sees all that is wrong."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from vidstyle.core.errors import PipelineError, PluginError, VidstyleError, WeightsError


class Faults:
    """Errors that were found so far, in order."""

    def __init__(self) -> None:
        self._found: list[VidstyleError] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def mention(self, where: str) -> bool:
        """Return whether one of them begins with this position."""
        return any(str(error).startswith(f"{where}: ") for error in self._found)

    def add(self, error: VidstyleError) -> None:
        """Keep an error."""
        self._found.append(error)

    @contextmanager
    def collect(self) -> Generator[None, None, None]:
        """Keep an error of the pipeline, a plugin or weights that is raised inside."""
        try:
            yield
        except (PipelineError, PluginError, WeightsError) as error:
            self._found.append(error)

    def raise_all(self) -> None:
        """Raise what was found.

        Raises:
            PipelineError: With a line for each error, unless all are of one other kind.
            PluginError: The same for those of plugins.
            WeightsError: The same for weights.
        """
        if not self._found:
            return
        if len(self._found) == 1:
            raise self._found[0]
        found = dict.fromkeys(line for error in self._found for line in str(error).split("\n"))
        lines = _in_order(list(found))
        kinds = {type(error) for error in self._found}
        kind = kinds.pop() if len(kinds) == 1 else PipelineError
        raise kind("\n".join(lines)) from self._found[0]


def _in_order(lines: Sequence[str]) -> list[str]:
    """Those of one file by their position; files, and lines without one, as they were found."""
    positions = [re.match(r"(.*?):(\d+):(\d+): ", line) for line in lines]
    files = list(dict.fromkeys(position and position[1] for position in positions))
    keys = [
        (
            files.index(position and position[1]),
            *(map(int, position.groups()[1:]) if position else (0, 0)),
        )
        for position in positions
    ]
    return [line for _, line in sorted(zip(keys, lines, strict=True), key=lambda item: item[0])]
