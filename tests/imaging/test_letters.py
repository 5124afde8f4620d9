"""Letters: how wide they are, and where they lie."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidstyle.imaging.letters import FINER, Letters, one_line

LETTERS = Letters(cv2.FONT_HERSHEY_SIMPLEX, 2.0, FINER)


@pytest.mark.parametrize("text", ["source", "A longer line of words"])
def test_letters_lie_on_their_base_line_within_their_width(text: str) -> None:
    width = -(-LETTERS.width(text) // FINER) + 20
    ink = LETTERS.draw(text, (width, 40), (10 * FINER, 30 * FINER))
    assert ink.shape == (40, width)
    assert 0.9 < ink.max() <= 1
    columns = np.flatnonzero(ink.max(axis=0))
    assert columns[0] >= 9
    assert columns[-1] <= width - 9
    # Nothing of "H" hangs below the line.
    tall = LETTERS.draw("H", (60, 40), (10 * FINER, 30 * FINER))
    assert not tall[32:].any()
    assert tall[28].any()


def test_a_name_in_another_encoding_is_one_line_of_text() -> None:
    assert one_line("a\n b\t\udce9.mp4") == "a b ?.mp4"
