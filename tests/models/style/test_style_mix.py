"""A mix of styles against networks whose weights were averaged by hand."""

from __future__ import annotations

import pytest
import torch

from vidstyle.core.errors import WeightsError
from vidstyle.models.style.architectures import ArchitectureName, empty_network
from vidstyle.models.style.network import StyleNetwork, stylize
from vidstyle.models.style.style_file import Credit, StyleInfo
from vidstyle.models.style.style_weights import check_alike
from vidstyle.models.style.torch_stylizer import StyleMix

WIDTH = 4


def network(seed: int, architecture: str = "johnson") -> StyleNetwork:
    made = empty_network(architecture, WIDTH)
    made.initialize(torch.Generator().manual_seed(seed))
    return made.requires_grad_(False).eval()


def averaged(*parts: tuple[StyleNetwork, float]) -> StyleNetwork:
    """Each weight the mean of theirs, in float64."""
    made = network(99, parts[0][0].architecture)
    weights = [(part.state_dict(), share) for part, share in parts]
    made.load_state_dict(
        {
            key: sum(state[key].double() * share for state, share in weights).float()
            for key in made.state_dict()
        }
    )
    return made


IMAGE = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("architecture", ["johnson", "johnson-fractional", "johnson-tanh", "fast"])
def test_a_mix_gives_what_the_network_of_averaged_weights_gives(architecture: str) -> None:
    a, b, c = (network(seed, architecture) for seed in (1, 2, 3))
    mix = StyleMix({"a": a, "b": b, "c": c})
    wanted = stylize(averaged((a, 0.5), (b, 0.3), (c, 0.2)), IMAGE)
    got = stylize(mix.network({"a": 0.5, "b": 0.3, "c": 0.2}), IMAGE)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=0)
    assert (got - stylize(a, IMAGE)).abs().max() > 0.01


def test_a_whole_share_is_the_style_itself() -> None:
    a, b = network(1), network(2)
    mix = StyleMix({"a": a, "b": b})
    assert mix.network({"a": 1.0, "b": 0.0}) is a
    assert mix.network({"b": 1.0}) is b


def test_shares_may_change_in_any_order_and_the_styles_stay() -> None:
    a, b = network(1), network(2)
    before = {key: value.clone() for key, value in a.state_dict().items()}
    mix = StyleMix({"a": a, "b": b})
    first = stylize(mix.network({"a": 0.5, "b": 0.5}), IMAGE)
    other = stylize(mix.network({"a": 0.1, "b": 0.9}), IMAGE)
    assert not torch.equal(first, other)
    assert torch.equal(stylize(mix.network({"a": 0.5, "b": 0.5}), IMAGE), first)
    assert all(torch.equal(value, before[key]) for key, value in a.state_dict().items())


def test_it_may_be_asked_in_inference_mode_and_outside() -> None:
    mix = StyleMix({"a": network(1), "b": network(2)})
    with torch.inference_mode():
        inside = stylize(mix.network({"a": 0.25, "b": 0.75}), IMAGE).clone()
        stylize(mix.network({"a": 0.5, "b": 0.5}), IMAGE)
    outside = stylize(mix.network({"a": 0.25, "b": 0.75}), IMAGE)
    assert torch.equal(inside, outside)


def info(architecture: ArchitectureName, width: int = 16) -> StyleInfo:
    return StyleInfo("x", Credit(), architecture, width)


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (info("fast"), "a is johnson with 16 channels, b is fast with 16 channels"),
        (info("johnson", 32), "a is johnson with 16 channels, b is johnson with 32 channels"),
    ],
)
def test_styles_that_are_not_alike_are_both_named(other: StyleInfo, says: str) -> None:
    check_alike({"a": info("johnson"), "b": info("johnson")})
    with pytest.raises(WeightsError, match=says):
        check_alike({"a": info("johnson"), "b": other})
