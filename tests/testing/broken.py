"""Stages that each break one promise, to see that the suite fails."""

from __future__ import annotations

import secrets
from typing import Any

import numpy as np
from pydantic import BaseModel

from vidstyle.core import (
    NOW,
    BaseStage,
    Clip,
    ExecutionContext,
    Layers,
    Needs,
    Reach,
    State,
    Window,
)
from vidstyle.core.layers import CUT


class Healthy(BaseStage[Any]):
    """The image, a little darker."""

    needs = Needs(reads={"image": NOW}, writes=("image",))

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        return {"image": self.stylize(window)}, None

    def stylize(self, window: Window[Any]) -> Any:
        return window.now.host("image") * np.float32(0.9)


class WritesToItsInput(Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        image = window.now.host("image")
        image *= np.float32(0.9)
        return image


class WritesToItsTensor(Healthy):
    needs = Needs(reads={"image": NOW}, writes=("image",), home="device")

    def stylize(self, window: Window[Any]) -> Any:
        return window.now.tensor("image").mul_(0.9)


class RemembersOnSelf(Healthy):
    last: Any = None

    def stylize(self, window: Window[Any]) -> Any:
        image = window.now.host("image")
        before = image if self.last is None else self.last
        self.last = image
        return (image + before) / 2


class RemembersInTheProcess(Healthy):
    steps: list[int] = []  # noqa: RUF012  # shared by all, which is the fault on show

    def stylize(self, window: Window[Any]) -> Any:
        self.steps.append(window.now.index)
        return super().stylize(window) / np.float32(len(self.steps))


class GivesAnotherShape(Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        return window.now.host("image")[1:]


class GivesDoubles(Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        return window.now.host("image").astype(np.float64)


class GivesNan(Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        image = window.now.host("image").copy()
        image[0, 0, 0] = np.nan
        return image


class LeavesTheRange(Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        return window.now.host("image") * np.float32(3)


class WritesUndeclaredLayers(Healthy):
    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        image = self.stylize(window)
        return {"image": image, "source": image}, None


class ReadsUndeclaredLayers(Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        return window.now.host("source")


class IsRandom(Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        noise = np.float32(secrets.randbelow(1 << 20) / (1 << 20))
        return super().stylize(window) * noise


class ReusesItsBuffer(Healthy):
    buffer: Any = None

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self.buffer = np.zeros((clip.height, clip.width, 3), np.float32)

    def stylize(self, window: Window[Any]) -> Any:
        np.copyto(self.buffer, super().stylize(window))
        return self.buffer


class Averages(Healthy):
    """Healthy as well: a running mean, restarted in each shot."""

    needs = Needs(reads={"image": NOW}, writes=("image",), scope="shot")

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        image = window.now.host("image")
        if state is not None:
            image = (image + np.asarray(state["mean"], np.float32)) / 2
        return {"image": image}, {"mean": image}


class WritesToItsState(Averages):
    def initial_state(self) -> State:
        return {"count": 0}

    def step(self, window: Window[Any], state: Any) -> tuple[Layers, State]:
        state["count"] += 1
        image = window.now.host("image") / np.float32(1 + state["count"])
        return {"image": image}, state


class HidesAListInItsState(Averages):
    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        layers, _ = super().step(window, None)
        past: Any = [*(state["past"] if state else []), 1]  # type: ignore[misc]  # the fault
        return layers, {"past": past}


class KeepsPartOfItsState(Averages):
    """State that says less than what the next frame depends on."""

    count = 0

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        self.count = self.count + 1 if state else 0
        image = window.now.host("image") * np.float32(0.9**self.count)
        return {"image": image}, {"seen": 1}


class RemembersAcrossCuts(Averages):
    needs = Needs(reads={"image": NOW}, writes=("image",), scope="clip")


class ChangesTheSizeUnasked(Healthy):
    def describe(self, clip: Clip) -> Clip:
        return Clip(clip.width * 2, clip.height, clip.time_base)

    def stylize(self, window: Window[Any]) -> Any:
        return np.repeat(window.now.host("image"), 2, axis=1)


class WantsEvenSizes(Healthy):
    def stylize(self, window: Window[Any]) -> Any:
        image = window.now.host("image")
        return image.reshape(image.shape[0] // 2, 2, -1, 3).reshape(image.shape)


class WantsANeighbor(Healthy):
    needs = Needs(reads={"image": Reach(behind=1)}, writes=("image",))

    def stylize(self, window: Window[Any]) -> Any:
        return window.behind[0].host("image")


class WantsAnOptionalLayer(Healthy):
    needs = Needs(reads={"image": NOW, "flow": Reach(optional=True)}, writes=("image",))

    def stylize(self, window: Window[Any]) -> Any:
        return super().stylize(window) + 0 * window.now.host("flow")[..., :1]


class ClosesWhatItNeverOpened(Healthy):
    net: Any = None

    def open(self, clip: Clip, context: ExecutionContext) -> None:
        self.net = {"weights": 1}

    def close(self) -> None:
        self.net.clear()


class ForgivesTypos(Healthy):
    class Options(BaseModel):
        pass


class MovesOnTheFirstFrame(BaseStage[Any]):
    needs = Needs(reads={"source": NOW}, writes=("flow",))

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        height, width = window.now.host("source").shape[:2]
        return {"flow": np.ones((height, width, 2), np.float32)}, None


class CutsByHalves(BaseStage[Any]):
    needs = Needs(reads={"source": NOW}, writes=(CUT,))

    def step(self, window: Window[Any], state: State) -> tuple[Layers, State]:
        return {CUT: np.array(0.5, np.float32)}, None
