"""A training as TensorBoard shows it: losses, learning rate, speed and images over the steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vidstyle.core.errors import OutputError, UsageError
from vidstyle.training.previews import fit_image
from vidstyle.training.watch import Image, TrainingStep

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_LARGEST = 512
"""Longer side of an image in pixels: each is stored in the log."""


class TensorBoard:
    """Writes a log folder for ``tensorboard --logdir``.

    A resumed training continues its curves. Steps that the folder has from beyond the checkpoint
    are hidden, so that none appears twice. A training that begins from the start hides all earlier
    ones.

    Args:
        folder: It is created if needed.

    Raises:
        UsageError: TensorBoard is not installed.
        OutputError: The folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log: SummaryWriter | None = None
        self._early: list[tuple[int, str, Image]] = []
        """Images from before the first step: the log begins with a step's number."""
        _check_installed()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error

    def step(self, step: TrainingStep) -> None:
        # Step 0 is where the style image is.
        log = self._log or self._open(0 if step.iteration == 1 else step.iteration)
        values = {f"loss/{name}": value for name, value in step.losses.items()}
        values["training/learning rate"] = step.learning_rate
        values["training/steps a second"] = 1 / max(step.seconds, 1e-9)
        for name, value in values.items():
            log.add_scalar(name, value, step.iteration)

    def image(self, iteration: int, name: str, image: Image) -> None:
        small = fit_image(image, _LARGEST)
        if self._log is None:
            self._early.append((iteration, name, small))
        else:
            self._log.add_image(name, small, iteration, dataformats="HWC")

    def close(self) -> None:
        if self._log is not None:
            self._log.close()

    def _open(self, first_step: int) -> SummaryWriter:
        from torch.utils.tensorboard import SummaryWriter

        self._log = log = SummaryWriter(str(self._folder), purge_step=first_step)
        for iteration, name, image in self._early:
            # The style image of a resumed training is in the log already.
            if iteration >= first_step:
                log.add_image(name, image, iteration, dataformats="HWC")
        self._early.clear()
        return log


def _check_installed() -> None:
    """Before a training begins, not at its first step."""
    try:
        import torch.utils.tensorboard  # noqa: F401 -- whether it is there
    except ImportError as error:
        raise UsageError(
            "TensorBoard is not installed: pip install 'vidstyle[tensorboard]', or leave out"
            " --tensorboard"
        ) from error
