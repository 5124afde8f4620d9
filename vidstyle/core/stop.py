"""A wish that work in progress may end at its next good place, instead of where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass(slots=True)
class StopRequest:
    """Held by who may want work to stop, and by the work, which looks at it now and then."""

    reason: BaseException | None = None
    """What the work raises once it has stored what is finished; None while it is to go on."""

    def check(self) -> None:
        """Stop here, where all that is finished is stored.

        Raises:
            BaseException: The reason, where there is one.
        """
        if self.reason is not None:
            raise self.reason


_FAREWELLS: list[Callable[[], object]] = []


@contextmanager
def on_leaving(act: Callable[[], object]) -> Iterator[None]:
    """While the context is open, let something be done where the process leaves at once.

    Args:
        act: Called before the process ends, wherever the work is: it is short, and waits for no
            lock that the work may have.

    Yields:
        Nothing.
    """
    _FAREWELLS.append(act)
    try:
        yield
    finally:
        _FAREWELLS.remove(act)


def bid_farewell() -> None:
    """Do all that is to be done before the process leaves at once, the last one first."""
    for act in reversed(_FAREWELLS):
        with suppress(Exception):
            act()
