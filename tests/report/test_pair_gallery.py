"""Images in the page, in as much detail as there is room for."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from tests.report.page_reader import PageReader
from vidstyle.report.pair_gallery import WorstPair, render_gallery
from vidstyle.report.pair_views import PairViews

AMPLE = 10**8
FIRST = 100


@pytest.fixture
def pairs() -> list[WorstPair]:
    random = np.random.default_rng(4)

    def noise() -> np.ndarray:
        return random.integers(0, 256, (270, 480, 3)).astype(np.uint8)

    return [
        WorstPair(0.5 - position / 10, PairViews(index, 2.25, *(noise() for _ in range(6))))
        for position, index in enumerate((7, 20, 1, 30))
    ]


def decoded(source: str | None) -> np.ndarray:
    assert source is not None
    kind, content = source.split(";base64,")
    assert kind in ("data:image/jpeg", "data:image/png")
    image = cv2.imdecode(np.frombuffer(base64.b64decode(content), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image[..., ::-1]


def gallery(pairs: list[WorstPair], most_bytes: int) -> PageReader:
    html = render_gallery({"clip": pairs}, first_frame=FIRST, most_bytes=most_bytes)
    assert len(html.encode()) <= max(most_bytes, 200)
    return PageReader(html)


def test_pairs_are_shown_in_order_with_words(pairs: list[WorstPair]) -> None:
    page = gallery(pairs, AMPLE)
    titles = [text for tag, text in page.texts if tag == "h4"]
    assert titles[0] == "Frames 106 and 107: "
    assert " 0.5 " in titles
    buttons = page.named("button")
    assert [button.attributes["data-frame"] for button in buttons] == ["7", "20", "1", "30"]
    images = page.named("img")
    assert len(images) == 24
    alts = [image.attributes["alt"] for image in images]
    assert len(set(alts)) == 24
    assert alts[0] == "The earlier frame, frames 106 and 107 of clip"


def test_images_are_those_of_the_pair(pairs: list[WorstPair]) -> None:
    images = gallery(pairs, AMPLE).named("img")
    mask = decoded(images[4].attributes["src"])
    np.testing.assert_array_equal(mask, pairs[0].views.mask)
    # Halved chroma and the losses of JPEG are all that noise may lose.
    earlier = decoded(images[0].attributes["src"]).astype(float)
    for own, other in ((pairs[0].views.earlier, pairs[0].views.later),):
        assert np.abs(earlier - own).mean() < 0.7 * np.abs(earlier - other).mean()


def test_less_room_is_less_detail_and_noted(pairs: list[WorstPair]) -> None:
    whole = len(render_gallery({"clip": pairs}, first_frame=0, most_bytes=AMPLE))
    reduced = gallery(pairs, whole // 8)
    widths = {decoded(image.attributes["src"]).shape[1] for image in reduced.named("img")}
    assert widths
    assert max(widths) < 480
    assert "reduced" in reduced.text_of("p")


def test_no_room_is_noted_and_no_pairs_are_nothing(pairs: list[WorstPair]) -> None:
    none = gallery(pairs, 200)
    assert not none.named("img")
    assert "No image fits" in none.text_of("p")
    assert not render_gallery({"clip": []}, first_frame=0, most_bytes=AMPLE)
