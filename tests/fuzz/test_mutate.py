"""Damage is of all sizes, and the same for the same seed."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.mutate import CHANGES, TEXT_CHANGES, damaged, damaged_yaml

DATA = bytes(range(256)) * 8
TEXT = "version: 1\nstages:\n  - use: flow/dis\n    scale: 0.5\n"


def test_the_same_seed_makes_the_same_damage() -> None:
    made = [damaged(DATA, Random(seed)) for seed in range(50)]
    assert made == [damaged(DATA, Random(seed)) for seed in range(50)]
    assert len(set(made)) > 40
    assert {len(data) < len(DATA) for data in made} == {True, False}
    texts = [damaged_yaml(TEXT, Random(seed)) for seed in range(50)]
    assert texts == [damaged_yaml(TEXT, Random(seed)) for seed in range(50)]
    assert len(set(texts)) > 40


@pytest.mark.parametrize(
    "change", tuple(dict.fromkeys(CHANGES)), ids=lambda change: change.__name__
)
def test_every_change_changes_something_and_takes_anything(change) -> None:
    made = set()
    for seed in range(20):
        for data in (b"", b"x", DATA):
            changed = bytearray(data)
            change(changed, Random(seed), (DATA, b""))
            made.add(bytes(changed))
    assert made - {b"", b"x", DATA}


@pytest.mark.parametrize(
    "change", tuple(dict.fromkeys(TEXT_CHANGES)), ids=lambda change: change.__name__
)
def test_every_change_of_text_does_too(change) -> None:
    made = {change(text, Random(seed), ("word",)) for seed in range(20) for text in ("", "1", TEXT)}
    assert made - {"", "1", TEXT}


def test_pieces_come_from_other_files() -> None:
    assert any(
        b"OTHER" in damaged(DATA, Random(seed), others=[b"OTHER" * 99]) for seed in range(99)
    )
