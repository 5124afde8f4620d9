from __future__ import annotations

import av
import pytest

from vidstyle.media.sound import SoundLayout, interpret_layout, nearest_layout, speakers

AAC = ("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1")
OPUS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


@pytest.mark.parametrize("name", ["mono", "stereo", "5.1(side)", "7.1(wide)", "hexagonal"])
def test_a_known_layout_stays(name):
    count = av.AudioLayout(name).nb_channels
    assert interpret_layout(name, count) == SoundLayout(name, count)


@pytest.mark.parametrize("count", range(1, 9))
def test_a_count_alone_becomes_a_layout_of_as_many(count):
    layout = interpret_layout(f"{count} channels", count)
    assert len(speakers(layout.name)) == count
    assert layout.order is None


def test_channels_in_another_order_are_put_in_ffmpegs():
    layout = interpret_layout("4 channels (SL+SR+FR+FL)", 4)
    assert [speakers(layout.name)[n] for n in range(4)] == ["FL", "FR", "SL", "SR"]
    assert layout.order == (3, 2, 0, 1)


@pytest.mark.parametrize("name", ["12 channels", "12 channels (USR0+USR1+FL+FL)"])
def test_of_more_channels_than_are_known_the_first_eight_stay(name):
    assert interpret_layout(name, 12) == SoundLayout("7.1", 12, tuple(range(8)))


def test_a_sound_field_becomes_what_a_single_microphone_records():
    assert interpret_layout("ambisonic 1", 4) == SoundLayout("mono", 4, (0,))


def test_no_channels_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        interpret_layout("0 channels", 0)


@pytest.mark.parametrize(
    ("name", "aac", "opus"),
    [
        ("mono", "mono", "mono"),
        ("5.1(side)", "5.1", "5.1"),
        ("5.0(side)", "5.0", "5.0"),
        ("2.1", "5.1", "5.1"),
        ("quad", "5.0", "quad"),
        ("4.0", "4.0", "6.1"),
        ("6.1", "5.1", "6.1"),
        ("7.1", "7.1", "7.1"),
        ("downmix", "stereo", "stereo"),
    ],
)
def test_the_nearest_layout_keeps_what_it_can(name, aac, opus):
    assert nearest_layout(name, AAC) == aac
    assert nearest_layout(name, OPUS) == opus
