"""Several processes that learn as one: `torchrun --nproc-per-node N python -m terraform train ...`.

Each takes its part of every batch; gradients, dropout and the weight of voids are those of the whole batch, on GPUs
batch norm too, so the result is that of one process up to rounding. Gloo on processors, NCCL on GPUs.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from terraform.errors import ConfigError


@dataclass(frozen=True)
class Processes:
    """The place of this process among those that learn together.

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
        """Whether this process writes, validates and reports."""
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
        """Divide an amount by its mean of all processes."""
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
        """Find the largest of all processes' numbers."""
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
    """Tell whether this process writes what follows a training."""
    return os.environ.get("RANK", "0") == "0"


def shutdown() -> None:
    """Leave the group, where there is one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def sync_layers(network: nn.Module, processes: Processes) -> nn.Module:
    """Make layers see the whole batch though every process holds a part of it: batch norm and dropout.

    Parameters
    ----------
    network : nn.Module
        On its device; it is changed.
    processes : Processes

    Returns
    -------
    nn.Module
        The network; the same one where a process is alone.

    Raises
    ------
    ConfigError
        It has batch statistics that torch cannot share: those of processors, and renormalisation's.
    """
    if processes.count == 1:
        return network
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if any(type(norm) is not nn.BatchNorm2d or norm.weight.device.type != "cuda" for norm in norms):
        raise ConfigError(
            f"batch statistics are shared among {processes.count} processes on GPUs only, and those of train.norm "
            "renorm nowhere: train with one process, or use train.norm pixel or instance and train.discriminator "
            "multiscale"
        )
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                setattr(module, name, _SharedDropout(child.p, processes))
    synced: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return synced


class _SharedDropout(nn.Dropout):
    """Dropout whose pattern is drawn for the whole batch, alike in all processes; each takes its part."""

    def __init__(self, p: float, processes: Processes) -> None:
        super().__init__(p)
        self._rank, self._count = processes.rank, processes.count

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if not self.training:
            return x
        whole = torch.empty(x.shape[0] * self._count, *x.shape[1:], dtype=x.dtype, device=x.device)
        # A process alone draws in the order in which its values lie in memory.
        last = x.is_contiguous(memory_format=torch.channels_last)
        order = torch.channels_last if last else torch.contiguous_format
        pattern = F.dropout(whole.contiguous(memory_format=order).fill_(1), self.p)
        return x * pattern[self._rank * x.shape[0] : (self._rank + 1) * x.shape[0]]
