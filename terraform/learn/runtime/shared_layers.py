"""Layers that see the whole batch though every process holds a part of it: batch statistics and dropout."""

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from terraform.learn.runtime.distributed import Processes


def sync_layers(network: nn.Module, processes: Processes) -> None:
    """Make a network's layers see the whole batch; nothing changes for a process alone."""
    if processes.count == 1:
        return
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, _SharedBatchNorm(child, processes))
            elif isinstance(child, nn.Dropout):
                setattr(module, name, _SharedDropout(child.p, processes))


class _SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the parts of all processes, on any device; its state is that of `nn.BatchNorm2d`."""

    def __init__(self, plain: nn.BatchNorm2d, processes: Processes) -> None:
        super().__init__(plain.num_features, plain.eps, plain.momentum)
        self.weight, self.bias = plain.weight, plain.bias
        self._buffers = plain._buffers
        self._count = processes.count

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if not self.training:
            return super().forward(x)
        values = x.float()
        mean = self._over_all(values.mean((0, 2, 3)))
        variance = self._over_all((values - mean.view(1, -1, 1, 1)).square().mean((0, 2, 3)))
        self._remember(mean.detach(), variance.detach(), values.numel() // values.shape[1] * self._count)
        # Statistics are given, so this is the affine map alone; gradients pass through them.
        scale = self.weight / torch.sqrt(variance + self.eps)
        shift = self.bias - mean * scale
        normal: Tensor = values * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)
        return normal.to(x.dtype)

    def _over_all(self, values: Tensor) -> Tensor:
        total: Tensor = _Sum.apply(values)
        return total / self._count

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        share = self.momentum or 0.1
        self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        self.running_mean.lerp_(mean, share)  # type: ignore[union-attr]
        self.running_var.lerp_(variance * count / max(1, count - 1), share)  # type: ignore[union-attr]


class _Sum(torch.autograd.Function):
    """The sum over all processes, and the sum of its gradients."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total


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
