"""Several processes that learn as one: `torchrun --nproc-per-node N python -m terraform train ...`.

Each takes its part of every batch; gradients, batch statistics and the weight of voids are those of the whole batch, so
the result is that of one process up to rounding. Gloo on processors, NCCL on GPUs.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from terraform.errors import ConfigError


@dataclass(frozen=True)
class Processes:
    """This process among those that learn together.

    Attributes
    ----------
    rank : int
        0 is the one that writes.
    count : int
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """This process writes, validates and tells."""
        return self.rank == 0

    def part(self, first: int, batch: int) -> tuple[int, int]:
        """First image and number of images of this process's part of a batch."""
        size = batch // self.count
        return first + self.rank * size, size

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors by their means over all processes."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        pieces = torch.split(flat / self.count, [tensor.numel() for tensor in tensors])
        for tensor, piece in zip(tensors, pieces, strict=True):
            tensor.copy_(piece.view(tensor.shape))

    def share(self, amount: Tensor) -> Tensor | float:
        """An amount over its mean of all processes."""
        if self.count == 1:
            return 1.0
        mean = amount.clone()
        self.average([mean])
        return amount / mean.clamp_min(1e-12)

    def sum_at_first(self, values: Tensor) -> None:
        """Give the first process the sum of all processes' values, and the others zeros."""
        if self.count > 1:
            dist.all_reduce(values)
            values.mul_(float(self.first))

    def largest(self, number: int, device: torch.device) -> int:
        """The largest of all processes' numbers."""
        if self.count == 1:
            return number
        numbers = torch.tensor([number], device=device)
        dist.all_reduce(numbers, dist.ReduceOp.MAX)
        return int(numbers)

    def wait(self) -> None:
        """Until all have come here."""
        if self.count > 1:
            dist.barrier()


SINGLE = Processes()


def init(device: torch.device, batch: int) -> Processes:
    """Join the processes that `torchrun` started; alone without it.

    Raises
    ------
    ConfigError
        The batch cannot be divided among them.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return SINGLE
    if batch % count:
        raise ConfigError(
            f"train.batch {batch} cannot be divided among {count} processes: use a multiple of {count}; it is the "
            "number of images in a step of all processes together"
        )
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return Processes(dist.get_rank(), dist.get_world_size())


def is_first() -> bool:
    """This process writes what follows a training."""
    return os.environ.get("RANK", "0") == "0"


def shutdown() -> None:
    """Leave the group, where there is one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
