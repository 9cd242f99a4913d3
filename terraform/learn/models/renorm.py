"""Batch renormalisation: batch norm that trains nearly the network that it evaluates, for small batches."""

import torch
from torch import Tensor, nn

_FREE_STEPS = 500
_SCALE_LIMIT, _SHIFT_LIMIT = 3.0, 5.0


class BatchRenorm2d(nn.BatchNorm2d):
    """Normalise by the batch, then correct towards the running statistics (Ioffe 2017, algorithm 1).

    The corrections r and d carry no gradient. Their limits grow from 1 and 0, plain batch norm, to 3 and 5 over the
    first steps, while the running statistics settle (the paper's section 4, over fewer steps).
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if not self.training:
            return super().forward(x)
        values = x.float()
        mean, variance = values.mean((0, 2, 3)), values.var((0, 2, 3), correction=0)
        scale, shift = self._corrections(mean.detach(), variance.detach())
        factor = self.weight * scale / torch.sqrt(variance + self.eps)
        offset = self.bias + self.weight * shift - mean * factor
        result: Tensor = values * factor.view(1, -1, 1, 1) + offset.view(1, -1, 1, 1)
        return result.to(x.dtype)

    @torch.no_grad()
    def _corrections(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """r and d of the paper; then the running statistics follow."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None
        grown = (self.num_batches_tracked / _FREE_STEPS).clamp(max=1.0)
        deviation, running = torch.sqrt(variance + self.eps), torch.sqrt(self.running_var + self.eps)
        most, far = 1 + (_SCALE_LIMIT - 1) * grown, _SHIFT_LIMIT * grown
        scale = torch.minimum(torch.maximum(deviation / running, 1 / most), most)
        shift = torch.minimum(torch.maximum((mean - self.running_mean) / running, -far), far)
        self.num_batches_tracked.add_(1)
        share = 1 / self.num_batches_tracked if self.momentum is None else torch.tensor(self.momentum)
        self.running_mean.lerp_(mean, share.to(mean))
        self.running_var.lerp_(variance, share.to(mean))
        return scale, shift
