from __future__ import annotations

import pytest

from vidstyle.runner.config.suggest import LONGEST, MOST, abbreviate, did_you_mean


def test_the_nearest_word_is_guessed_and_all_are_listed() -> None:
    text = did_you_mean("strenth", ["passes", "strength"])
    assert text == " Did you mean strength? Available: passes, strength."


def test_a_word_near_nothing_gets_the_list_alone() -> None:
    assert did_you_mean("zzz", ["passes", "strength"]) == " Available: passes, strength."


def test_one_part_of_a_name_is_enough() -> None:
    assert "Did you mean flow/dis?" in did_you_mean("dis", ["flow/dis", "encode/pyav"])


def test_nothing_to_choose_from_has_its_own_message() -> None:
    assert did_you_mean("x", []) == " None is available."


def test_a_long_list_is_cut_and_counted() -> None:
    text = did_you_mean("zzz", [f"{number:03}" for number in range(MOST + 5)])
    assert text.endswith(f"{MOST - 1:03} and 5 more.")


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31mb", "x" * 10_000, "\ud800"])
def test_a_shown_text_is_one_short_printable_line(text: str) -> None:
    assert abbreviate(text).isprintable()
    assert len(abbreviate(text)) <= LONGEST + 20


def test_an_ordinary_text_is_shown_as_it_is() -> None:
    assert abbreviate("grande-vague é") == "grande-vague é"


def test_names_that_come_from_a_user_keep_the_message_one_line() -> None:
    assert did_you_mean("a", ["a\nb", "x" * 10_000]).isprintable()
