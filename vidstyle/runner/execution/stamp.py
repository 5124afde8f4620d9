"""Numbers shots and chunks. A chunk is the unit of work that is encoded and saved whole."""

from __future__ import annotations

from dataclasses import replace

from vidstyle.core.layers import CUT
from vidstyle.runner.execution.edge import Stamped
from vidstyle.runner.execution.parcel import Parcel
from vidstyle.runner.execution.pauses import Pauses


class Stamp:
    """Counts cuts into shots, and frames into chunks, from the frames alone."""

    def __init__(self, least: int, most: int, pauses: Pauses | None = None) -> None:
        """``pauses`` says which frames inside of a chunk keep their edge as well."""
        self._least, self._most = least, most
        self._pauses = pauses
        self._shot = self._chunk = self._in_chunk = 0
        self._first = True

    def __call__(self, parcel: Parcel) -> Parcel:
        before = Stamped(self._shot, self._chunk, self._in_chunk)
        cut = not self._first and self._is_cut(parcel)
        self._first = False
        if cut:
            self._shot += 1
        if self._in_chunk >= self._most or (cut and self._in_chunk >= self._least):
            self._chunk += 1
            self._in_chunk = 0
        self._in_chunk += 1
        begins = self._chunk > before.chunk
        kept = begins if self._pauses is None else self._pauses.due(begins_chunk=begins)
        edge = parcel.edge if kept else None
        if edge is not None:
            edge.stamped = before
        return replace(parcel, shot=self._shot, chunk=self._chunk, edge=edge)

    def restore(self, stamped: Stamped) -> None:
        """Go on with the frame before which another one stood so."""
        self._shot, self._chunk, self._in_chunk = stamped.shot, stamped.chunk, stamped.in_chunk
        self._first = False

    @staticmethod
    def _is_cut(parcel: Parcel) -> bool:
        cell = parcel.cells.get(CUT)
        return cell is not None and float(cell.at("host", "cpu")) >= 0.5
