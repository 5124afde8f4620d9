"""Temporal blend in several passes over a span, forwards and backwards."""

from __future__ import annotations

from vidstyle.core import NOW, BaseStage, Frame, HostArray, Needs, Span, SpanSteps, State
from vidstyle.stages.blend.multipass_options import MultipassOptions
from vidstyle.stages.blend.passes import Passes


class Multipass(BaseStage[MultipassOptions]):
    """Writes ``image``: each painting mixed with both of its neighbors, in several passes.

    The multi-pass algorithm of Ruder, Dosovitskiy and Brox (Artistic Style Transfer for Videos,
    2016) with blending alone: where they optimize between passes, the painting stays. Pass j goes
    forwards, the next one backwards, and so on; on its way it takes each frame i to

        x[i] <- (1 - strength · c) x[i] + strength · c · W(x[i ∓ 1])

    with W the neighbor, already done in this pass, moved along the flow, and c the trust in it:
    visibility times the agreement of the sources. The neighbor is first brought within what the
    painting shows around each pixel. At the end, outside of the passes so that nothing can build
    up, each frame gets back a part of its painting's fine detail, and its crispness.

    A span goes on where the one before it ended: that one's last frame is its first neighbor.
    Frames at strength 0 pass bit for bit, and, unless ``first`` says otherwise, the first of a
    shot. Needs flow in both directions. Results are in [0, 1].
    """

    Options = MultipassOptions

    def __init__(self, options: MultipassOptions) -> None:
        super().__init__(options)
        layers = ("image", "source", "flow", "visible")
        backwards = ("flow_from_previous", "visible_from_previous")
        self.needs = Needs(
            reads=dict.fromkeys((*layers, *backwards), NOW),
            writes=("image",),
            scope="shot",
            span=options.span,
        )

    def step_span(self, span: Span[MultipassOptions], state: State) -> SpanSteps:
        if not any(options.strength for options in span.options):
            for frame in span:
                yield {"image": frame.host("image")}
            return _carried_on(span[-1], span[-1].host("image"))
        passes = Passes(span, state, self.options.passes)
        passes.prepare()
        for number in range(self.options.passes):
            turn = passes.forwards if number % 2 == 0 else passes.backwards
            turn()
        passes.join()
        for position in range(len(span)):
            yield {"image": passes.crisp(position)}
        return _carried_on(span[-1], passes.mixed(len(span) - 1))


def _carried_on(last: Frame, mixed: HostArray) -> State:
    """What the next span of the shot begins at."""
    return {"mixed": mixed.copy(), "source": last.host("source").copy()}


STAGE = Multipass
