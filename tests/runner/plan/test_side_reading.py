"""What a side input shows at which time, against times and levels that the tests choose."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from vidstyle.core import Clip, ExecutionContext, HostArray
from vidstyle.core.errors import InputError
from vidstyle.runner.config.side_inputs import SideInput
from vidstyle.runner.config.yaml_values import Where
from vidstyle.runner.plan.side_reading import SideReading, open_side_inputs
from vidstyle.stages.decode.policies import DecodeOptions
from vidstyle.stages.decode.pyav import DecodePyAV

SIZE = (32, 16)
CLIP = Clip(*SIZE, Fraction(1, 25), Fraction(25))


def write_video(path: Path, levels: Sequence[int], ticks: Sequence[int], base: Fraction) -> Path:
    """Gray images of one level each, shown at ``ticks`` of the time ``base``."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "gray"
        stream.codec_context.time_base = base
        for level, pts in zip(levels, ticks, strict=True):
            image = av.VideoFrame.from_ndarray(np.full(SIZE[::-1], level, np.uint8), "gray")
            image.pts, image.time_base = pts, base
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def write_image(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


def reading(path: Path, clip: Clip = CLIP, *, color: bool = False) -> SideReading:
    return SideReading(SideInput("mask", path, color), clip, ExecutionContext())


def layer(path: Path, clip: Clip = CLIP) -> HostArray:
    side = reading(path, clip)
    shown = side.at(0, Fraction(0)).host()
    side.close()
    assert shown.dtype == np.float32
    assert not shown.flags.writeable
    return shown


def levels_at(side: SideReading, times: Sequence[Fraction]) -> list[int]:
    """The level of the whole layer, 0 to 255, at each time."""
    found = []
    for index, time in enumerate(times):
        shown = side.at(index, time).host()
        assert shown.shape[:2] == SIZE[::-1]
        assert np.ptp(shown) < 1e-6
        found.append(round(float(shown.flat[0]) * 255))
    return found


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(24000, 1001), Fraction(30)])
def test_colors_of_another_rate_come_to_the_nearest_frame(tmp_path: Path, rate: Fraction) -> None:
    """As ``ffmpeg -r`` converts: each of 25 frames a second to the nearest time of the rate."""
    taken = {int(Fraction(n, 25) * rate + Fraction(1, 2)): n for n in range(50)}
    levels = [5 * n for n in taken.values()]
    side = reading(write_video(tmp_path / "m.mkv", levels, list(taken), 1 / rate), color=True)
    found = levels_at(side, [Fraction(n, 25) for n in range(50)])
    assert all(found[n] == 5 * n for n in taken.values())
    # A frame whose place another one took gets a neighbor.
    assert max(abs(level - 5 * n) for n, level in enumerate(found)) <= 5
    side.close()


def test_colors_stay_until_the_next_ones(tmp_path: Path) -> None:
    path = write_video(tmp_path / "m.mkv", [20, 120, 220], [0, 200, 440], Fraction(1, 1000))
    side = reading(path, color=True)
    times = [Fraction(n, 25) for n in range(12)]
    assert levels_at(side, times) == [20] * 5 + [120] * 6 + [220]
    side.close()


def test_of_more_images_than_frames_those_of_their_times_are_shown(tmp_path: Path) -> None:
    path = write_video(tmp_path / "m.mkv", [10 * n for n in range(20)], range(20), Fraction(1, 100))
    side = reading(path, color=True)
    assert levels_at(side, [Fraction(n, 25) for n in range(5)]) == [0, 40, 80, 120, 160]
    side.close()


def test_colors_stay_sharp_when_they_are_enlarged(tmp_path: Path) -> None:
    fine = np.random.default_rng(0).integers(60, 190, (24, 48, 3), np.uint8)
    path = write_image(tmp_path / "m.png", fine)
    side = reading(path, Clip(64, 32, Fraction(1, 25)), color=True)
    shown = side.at(0, Fraction(0)).host()
    linear = cv2.resize(fine[..., ::-1] / 255, (64, 32), interpolation=cv2.INTER_LINEAR)
    ours, theirs = (
        cv2.Laplacian(image.astype(np.float32), cv2.CV_32F).var() for image in (shown, linear)
    )
    assert ours > 1.3 * theirs
    side.close()


@pytest.mark.parametrize("start", [0, 700])
def test_the_last_image_that_is_not_later_is_shown(tmp_path: Path, start: int) -> None:
    shown = {0: 10, 130: 60, 200: 110, 640: 160, 700: 210}
    ticks = [start + time for time in shown]
    levels = list(shown.values())
    path = write_video(tmp_path / "m.mkv", levels, ticks, Fraction(1, 1000))
    times = [Fraction(n, 30) for n in range(30)]
    wanted = [levels[sum(ms <= 1000 * time for ms in shown) - 1] for time in times]
    assert len(set(wanted)) == 5
    side = reading(path)
    assert levels_at(side, times) == wanted
    side.close()


def test_equal_rates_stay_together_where_the_container_rounds_times(tmp_path: Path) -> None:
    count, base = 36, Fraction(1001, 30000)
    levels = [7 * n for n in range(count)]
    path = write_video(tmp_path / "m.mkv", levels, range(count), base)
    side = reading(path)
    assert levels_at(side, [n * base for n in range(count)]) == levels
    side.close()


def test_before_it_starts_the_first_is_shown_and_after_its_end_the_last(tmp_path: Path) -> None:
    path = write_video(tmp_path / "m.mkv", [50, 200], [0, 40], Fraction(1, 1000))
    side = reading(path)
    assert side.notes == []
    assert levels_at(side, [Fraction(-1), Fraction(1, 25)]) == [50, 200]
    assert side.notes == []
    assert levels_at(side, [Fraction(9)]) == [200]
    [note] = side.notes
    assert note.kind == "side-input-ended"
    assert note.text == "side input mask: ends before the clip; its last image is held"
    side.close()


def test_an_image_holds_for_the_whole_clip_as_one_layer(tmp_path: Path) -> None:
    path = write_image(tmp_path / "m.png", np.full((16, 32), 51, np.uint8))
    side = reading(path)
    first, later = side.at(0, Fraction(0)), side.at(900, Fraction(36))
    assert first is later
    np.testing.assert_allclose(first.host(), 0.2, atol=1e-6)
    assert side.notes == []


def test_a_folder_has_an_image_for_each_frame_whatever_the_times(tmp_path: Path) -> None:
    for number in range(12):
        write_image(tmp_path / "m" / f"{number}.png", np.full((16, 32), 20 * number, np.uint8))
    times = [Fraction(n * n, 1000) for n in range(12)]
    side = reading(tmp_path / "m")
    assert levels_at(side, times) == [20 * n for n in range(12)]
    assert side.notes == []
    side.at(12, Fraction(9))
    assert [note.kind for note in side.notes] == ["side-input-ended"]


def test_black_is_0_white_is_1_and_colors_are_luma(tmp_path: Path) -> None:
    image = np.zeros((16, 32, 3), np.uint8)
    image[:, 8:16] = 255
    image[:, 16:24, 2] = 255  # red, in OpenCV's order
    image[:, 24:, 1] = 255
    shown = layer(write_image(tmp_path / "m.png", image))
    np.testing.assert_allclose(shown[0, ::8], [0, 1, 0.299, 0.587], atol=1e-6)
    assert shown[0, 8] == 1
    assert shown[0, 0] == 0


def test_gray_and_rgb_give_the_same_layer(tmp_path: Path) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (16, 32), dtype=np.uint8)
    one = layer(write_image(tmp_path / "gray.png", gray))
    three = layer(write_image(tmp_path / "rgb.png", np.repeat(gray[..., None], 3, axis=2)))
    np.testing.assert_array_equal(one, three)
    np.testing.assert_allclose(one, gray / 255, atol=1e-6)


def test_transparency_is_the_mask_where_it_is_used(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (16, 32, 4), dtype=np.uint8)
    shown = layer(write_image(tmp_path / "cut-out.png", image))
    np.testing.assert_allclose(shown, image[..., 3] / 255, atol=1e-6)
    image[..., 3] = 255
    opaque = layer(write_image(tmp_path / "opaque.png", image))
    luma = image[..., :3] @ np.array([0.114, 0.587, 0.299]) / 255
    np.testing.assert_allclose(opaque, luma, atol=1e-5)


@pytest.mark.parametrize("size", [(64, 32), (8, 4), (640, 320), (65, 33)])
def test_it_is_brought_to_the_clip_s_size(tmp_path: Path, size: tuple[int, int]) -> None:
    x = np.linspace(0, 255, 320)
    path = write_image(tmp_path / "m.png", np.tile(x, (160, 1)).round().astype(np.uint8))
    shown = layer(path, Clip(*size, Fraction(1, 25)))
    assert shown.shape == size[::-1]
    middles = (np.arange(size[0]) + 0.5) / size[0]
    np.testing.assert_allclose(shown, np.tile(middles, (size[1], 1)), atol=0.005)
    assert shown.min() >= 0
    assert shown.max() <= 1


@pytest.mark.parametrize("size", [(64, 48), (32, 64), (320, 170)])
def test_one_of_another_shape_is_refused_and_never_stretched(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = write_image(tmp_path / "m.png", np.zeros((160, 320), np.uint8))
    with pytest.raises(InputError, match="is 320x160, another shape than the clip's"):
        reading(path, Clip(*size, Fraction(1, 25)))


@pytest.mark.parametrize(
    ("clip", "rows", "columns"),
    [
        # Wider than the clip, narrower, and of the clip's shape.
        (Clip(32, 32, Fraction(1, 25)), slice(8, 24), slice(0, 32)),
        (Clip(64, 16, Fraction(1, 25)), slice(0, 16), slice(16, 48)),
        (Clip(64, 32, Fraction(1, 25)), slice(0, 32), slice(0, 64)),
        # Pixels twice as wide as tall: the clip is shown at 4:1.
        (Clip(32, 16, Fraction(1, 25), sample_aspect=Fraction(2)), slice(0, 16), slice(0, 32)),
        (Clip(40, 16, Fraction(1, 25), sample_aspect=Fraction(2)), slice(0, 16), slice(12, 28)),
    ],
)
def test_another_shape_gets_black_around_it_where_that_is_wanted(
    tmp_path: Path, clip: Clip, rows: slice, columns: slice
) -> None:
    path = write_image(tmp_path / "m.png", np.full((16, 32, 3), 255, np.uint8))
    side = SideReading(SideInput("b", path, color=True, pad=True), clip, ExecutionContext())
    wanted = np.zeros((clip.height, clip.width, 3), np.float32)
    wanted[rows, columns] = 1
    np.testing.assert_array_equal(side.at(0, Fraction(0)).host(), wanted)
    assert side.planned().pad


@pytest.mark.parametrize(
    ("asked", "end", "longer"), [(2, 80, True), (3, 120, False), (1, 200, False)]
)
def test_one_that_is_longer_than_the_clip_says_so(
    tmp_path: Path, asked: int, end: int, longer: bool
) -> None:
    path = write_video(tmp_path / "m.mkv", [1, 2, 3], [0, 40, 80], Fraction(1, 1000))
    for color in (True, False):
        side = SideReading(SideInput("b", path, color=color), CLIP, ExecutionContext())
        for at in range(asked):
            side.at(at, Fraction(at, 25))
        side.finish(Fraction(end, 1000))
        kinds = [note.kind for note in side.notes]
        # A mask is no clip of its own.
        assert ("side-input-longer" in kinds) == (longer and color)
        side.close()


def test_one_may_have_the_shape_in_which_the_clip_is_shown(tmp_path: Path) -> None:
    path = write_image(tmp_path / "m.png", np.zeros((90, 160), np.uint8))
    clip = Clip(720, 576, Fraction(1, 25), sample_aspect=Fraction(64, 45))
    assert layer(path, clip).shape == (576, 720)


def test_a_hard_border_gets_no_overshoot_when_it_is_enlarged(tmp_path: Path) -> None:
    image = np.zeros((4, 8), np.uint8)
    image[:, 4:] = 255
    shown = layer(write_image(tmp_path / "m.png", image))
    assert (shown.min(), shown.max()) == (0, 1)
    assert (np.diff(shown, axis=1) >= 0).all()


def test_the_plan_knows_it_by_its_content_and_not_by_its_place(tmp_path: Path) -> None:
    image = np.full((24, 48), 51, np.uint8)
    one = reading(write_image(tmp_path / "a" / "m.png", image)).planned()
    same = reading(write_image(tmp_path / "b" / "n.png", image)).planned()
    other = reading(write_image(tmp_path / "c" / "m.png", image + 1)).planned()
    assert (one.name, one.path) == ("mask", str(tmp_path / "a" / "m.png"))
    assert (one.width, one.height) == (48, 24)
    assert one.digest == same.digest != other.digest


def test_the_digest_of_a_folder_sees_names_and_contents(tmp_path: Path) -> None:
    dark, light = np.full((4, 8), 10, np.uint8), np.full((4, 8), 200, np.uint8)
    for folder, images in {"a": (dark, light), "b": (dark, light), "c": (light, dark)}.items():
        for number, image in enumerate(images):
            write_image(tmp_path / folder / f"{number}.png", image)
    a, b, c = (reading(tmp_path / name).planned().digest for name in "abc")
    assert a == b != c
    write_image(tmp_path / "b" / "2.png", dark)
    assert reading(tmp_path / "b").planned().digest != a


@pytest.mark.parametrize("name", ["none.png", "none.mp4", "none", "text.png", "text.mp4", "empty"])
def test_what_cannot_be_read_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    if name.startswith("text"):
        (tmp_path / name).write_text("not an image")
    if name == "empty":
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=r"^side input mask: .*" + name) as caught:
        reading(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_an_image_that_breaks_midway_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "m" / "0.png", np.zeros((4, 8), np.uint8))
    (tmp_path / "m" / "1.png").write_text("broken")
    side = reading(tmp_path / "m")
    with pytest.raises(InputError, match=r"^side input mask: .*1\.png"):
        side.at(0, Fraction(0))


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"max_pixels": 1}, "scale the file down: it is brought to the clip's size anyway"),
        ({"max_frames": 1}, "cut the file to the clip's length"),
        ({"max_hours": 1e-5}, "cut the file to the clip's length"),
        ({"max_frame_rate": 1}, "write the file with fewer frames a second"),
    ],
    ids=str,
)
def test_over_a_limit_it_says_what_can_be_done_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: dict[str, Any], words: str
) -> None:
    path = write_video(tmp_path / "m.mkv", [1, 2, 3], [0, 40, 80], Fraction(1, 1000))
    # Files beyond the limits that there are would take hours to write.
    lowered = DecodePyAV(DecodeOptions(**limit))
    monkeypatch.setattr("vidstyle.runner.plan.side_reading._source_of", lambda _: lowered)
    with pytest.raises(InputError, match=f"^side input mask: .*m.mkv: .*; {words}$"):
        reading(path).at(0, Fraction(0))


def test_a_bomb_is_to_be_scaled_down(tmp_path: Path) -> None:
    image = write_image(tmp_path / "m.png", np.zeros((4, 8), np.uint8))
    size = b"\0\1\0\0" * 2
    image.write_bytes(image.read_bytes()[:16] + size + image.read_bytes()[24:])
    with pytest.raises(InputError, match=r"is 65536x65536, .*; scale the file down") as error:
        reading(image)
    assert "option" not in str(error.value)


def test_hdr_is_to_be_converted(tmp_path: Path) -> None:
    path = tmp_path / "m.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=32, height=16)
        stream.pix_fmt = "yuv420p10le"
        stream.codec_context.color_trc = 16
        image = av.VideoFrame(32, 16, "yuv420p10le")
        container.mux([*stream.encode(image), *stream.encode(None)])
    with pytest.raises(InputError, match=r"HDR video \(PQ\); convert the file to SDR$"):
        reading(path)


def test_all_are_closed_in_the_end_also_when_one_cannot_be_opened(tmp_path: Path) -> None:
    video = write_video(tmp_path / "m.mkv", [1, 2], [0, 40], Fraction(1, 1000))
    good, bad = SideInput("a", video), SideInput("b", tmp_path / "none.mkv")
    with open_side_inputs([good], CLIP, ExecutionContext()) as (side,):
        side.at(0, Fraction(0))
    with (
        pytest.raises(InputError, match="side input b"),
        open_side_inputs([good, bad], CLIP, ExecutionContext()),
    ):
        raise AssertionError("opened")


def test_a_file_that_is_not_there_is_reported_where_it_is_written(tmp_path: Path) -> None:
    side = SideInput("mask", tmp_path / "none.png", where=Where("p.yaml", 3, 9))
    with pytest.raises(InputError, match=r"^p\.yaml:3:9: side input mask: .*none\.png"):
        SideReading(side, CLIP, ExecutionContext())
