"""A run for TensorBoard: every number of the history, and what held-out pairs look like."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from terraform.errors import ConfigError
from terraform.learn.runtime.checkpoint import TrainState
from terraform.learn.validate import Samples
from terraform.show.plots import levels

_KINDS = {"train": "learnt", "validation": "val"}


class Events:
    """A folder of TensorBoard's event files, written anew by each process from the whole history.

    So what a killed run had written is never there twice. The package's own writer writes it, row by row.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    ConfigError
        TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if find_spec("tensorboard") is None:
            raise ConfigError("train.tensorboard: not installed: pip install 'terraform-planets[board]', or set false")
        self._folder = folder
        self._written = 0
        self._writer: Any = None

    def add(self, state: TrainState, samples: Samples) -> None:
        """Write the rows since the last validation, and its pictures."""
        writer = self._writer = self._writer or self._begun()
        for row in state.history[self._written :]:
            for name, value in row.scalars().items():
                writer.add_scalar(name, value, row.images)
            for role, regions in row.by_region.items():
                for region, value in regions.items():
                    writer.add_scalar(f"{_KINDS[role]}_l1/{region}", value, row.images)
        for title, pictures in {"real": samples.stored.imagery.numpy(), "generated": levels(samples.generated)}.items():
            writer.add_images(title, pictures, state.images, dataformats="NHWC")
        writer.flush()
        self._written = len(state.history)

    def _begun(self) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        shutil.rmtree(self._folder, ignore_errors=True)
        return SummaryWriter(str(self._folder))
