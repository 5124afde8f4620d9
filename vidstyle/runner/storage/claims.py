"""Which batches are at work in a folder, and with which options: those of two never mix.

A batch holds ``ID.claim.lock`` in the hidden folder and keeps its stamp in ``ID.claim``. Whoever
dies lets go of the lock, and a claim whose lock nobody holds is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from vidstyle.core.errors import LockedError, OutputError
from vidstyle.runner.plan.stamp import Stamp, brief, differences, stamp_from_json
from vidstyle.runner.storage.locks import explain_removal, hold_lock, holder_of, wait_for_lock
from vidstyle.runner.storage.records import FOLDER

_SUFFIX = ".claim"
# Seconds that other batches may take to look and to claim.
_PATIENCE = 10.0


@contextmanager
def claim_folder(folder: Path, stamp: Stamp) -> Iterator[None]:
    """Let no batch with other options begin in the folder, which is there.

    Batches with the same stamp may share it.

    Raises LockedError where one with another stamp is at work, and OutputError where nothing can be
    written.
    """
    hidden = folder / FOLDER
    claim = hidden / f"{uuid4().hex}{_SUFFIX}"
    with ExitStack() as stack:
        busy = f"other batches begin in {folder}"
        with wait_for_lock(hidden / "claims.lock", busy, seconds=_PATIENCE):
            check_claims(folder, stamp)
            _remove_unheld(hidden)
            stack.enter_context(hold_lock(_lock_of(claim), busy))
            stack.callback(_remove, claim)
            try:
                claim.write_text(json.dumps(stamp.to_json()), encoding="utf-8")
            except OSError as error:
                raise OutputError(f"cannot write to {hidden}: {error.strerror}") from error
        yield


def check_claims(folder: Path, stamp: Stamp) -> None:
    """Raise LockedError where a batch with other options is at work. Writes nothing."""
    for claim in sorted((folder / FOLDER).glob(f"*{_SUFFIX}")):
        holder = holder_of(_lock_of(claim))
        if holder is not None and (found := _differences(claim, stamp)):
            raise LockedError(
                f"another batch{holder} is at work in {folder} with other options:"
                f" {brief(found)}; wait for it, or choose another -o"
            )


def _differences(claim: Path, stamp: Stamp) -> list[str]:
    """How a claim differs; it may come from another version."""
    try:
        return differences(stamp_from_json(json.loads(claim.read_text(encoding="utf-8"))), stamp)
    except FileNotFoundError:
        # That batch has just ended.
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ["they cannot be read"]


def _remove_unheld(hidden: Path) -> None:
    """Remove what batches that were killed have left."""
    for claim in hidden.glob(f"*{_SUFFIX}"):
        if holder_of(_lock_of(claim)) is None:
            with explain_removal():
                claim.unlink(missing_ok=True)
                _lock_of(claim).unlink(missing_ok=True)


def _remove(claim: Path) -> None:
    with suppress(OSError):
        claim.unlink(missing_ok=True)


def _lock_of(claim: Path) -> Path:
    return claim.with_name(f"{claim.name}.lock")
