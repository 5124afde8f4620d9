"""A wish that work in progress may end at its next good place, instead of where it is."""

from __future__ import annotations

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
