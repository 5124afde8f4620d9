"""Light trails: bright things leave a tail that fades. A worked example with memory."""

from typing import Any

import numpy as np
from pydantic import Field

from vidstyle.core import NOW, BaseStage, Layers, Needs, StageOptions, State, Window


class TrailsOptions(StageOptions):
    """What a pipeline can set."""

    fade: float = Field(0.85, ge=0, lt=1, description="Part of a tail that is left a frame later.")


class Trails(BaseStage[TrailsOptions]):
    """Lets bright things leave a fading tail."""

    Options = TrailsOptions
    needs = Needs(reads={"image": NOW}, writes=("image",), scope="shot")

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        """The brighter of the image and of what is left of the last output."""
        image = window.now.host("image")
        if state is not None:  # None on the first frame of a shot
            tail = np.asarray(state["tail"], np.float32)
            image = np.maximum(image, np.float32(window.options.fade) * tail)
        return {"image": image}, {"tail": image}


STAGE = Trails
