"""A pair holds what its documentation says or is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidstyle.training.pairs import Pair, join_pairs, mask_inside, pair_of


def parts(count: int = 1) -> dict[str, torch.Tensor]:
    channels = {"previous": 3, "current": 3, "flow": 2, "visible": 1}
    return {name: torch.full((count, number, 5, 7), 0.5) for name, number in channels.items()}


@pytest.mark.parametrize("name", ["previous", "current", "flow", "visible"])
def test_a_layer_of_another_shape_or_type_is_refused(name: str) -> None:
    right = parts()
    for wrong in (right[name][:, :, 1:], right[name][:, 0], right[name].double()):
        if name == "previous" and wrong.ndim == 4 and wrong.dtype == torch.float32:
            # The others are measured by the previous image.
            name_shown = "current"
        else:
            name_shown = name
        with pytest.raises(ValueError, match=rf"^{name_shown} "):
            Pair(**{**right, name: wrong})


@pytest.mark.parametrize("name", ["previous", "current", "visible"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_a_value_out_of_range_is_refused(name: str, value: float) -> None:
    wrong = parts()
    wrong[name][0, 0, 2, 3] = value
    with pytest.raises(ValueError, match=f"{name} must lie in"):
        Pair(**wrong)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_flow_that_is_not_finite_is_refused(value: float) -> None:
    wrong = parts()
    wrong["flow"][0, 1, 2, 3] = value
    with pytest.raises(ValueError, match="flow must be finite"):
        Pair(**wrong)


def test_a_pair_prints_shapes() -> None:
    shown = repr(Pair(**parts(2)))
    assert shown.startswith("Pair(previous(2, 3, 5, 7), ")
    assert "visible(2, 1, 5, 7)" in shown


def test_host_arrays_become_channels_first() -> None:
    random = np.random.default_rng(0)
    image, flow = (random.random((4, 6, n), dtype=np.float32) for n in (3, 2))
    visible = random.random((4, 6), dtype=np.float32)
    pair = pair_of(image[:, ::-1], image, flow, visible)
    assert pair.flow[0, 1, 3, 2] == flow[3, 2, 1]
    assert pair.previous[0, 2, 1, 5] == image[1, 0, 2]
    assert pair.visible[0, 0, 2, 1] == visible[2, 1]


def test_pairs_are_joined_in_order() -> None:
    first, second = Pair(**parts()), Pair(**{k: v / 2 for k, v in parts(2).items()})
    both = join_pairs([first, second])
    assert both.flow.shape == (3, 2, 5, 7)
    assert both.visible[:, 0, 0, 0].tolist() == [0.5, 0.25, 0.25]


def test_inside_is_where_the_target_is_a_point_of_the_image() -> None:
    flow = np.zeros((3, 5, 2), np.float32)
    flow[..., 0] = -1.5
    flow[1, :, 1] = 2
    expected = np.zeros((3, 5))
    expected[[0, 2], 2:] = 1
    np.testing.assert_array_equal(mask_inside(flow), expected)
