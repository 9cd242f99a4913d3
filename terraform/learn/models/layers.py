"""Layers that torch has not: norms for small batches and for windows, resize-convolution, and norms fused away."""

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

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
        """Compute r and d of the paper; then the running statistics follow."""
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


class PixelNorm(nn.LayerNorm):
    """Layer norm over the channels of each pixel (as in ConvNeXt, Liu et al. 2022).

    Neither the window nor the batch changes a pixel, and training and drawing compute the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> the same shape; in channels-last memory both turns are views."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ResizeConv2d(nn.Conv2d):
    """Nearest enlargement by two, then a 3 x 3 convolution (Odena et al. 2016), in one pass over the small map.

    Enlarging first makes the kernel meet each small pixel several times. Those meetings summed are a 4 x 4 kernel of a
    transposed convolution of stride 2: 16 products a small pixel instead of 36, and the large map is never stored. The
    result is the same up to rounding; the kernel keeps its nine free values, so no lattice can form.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, A, H, W) -> (N, B, 2 H, 2 W)."""
        # Correlation to convolution, then the sum over the 2 x 2 copies of a pixel.
        padded = F.pad(self.weight.flip(2, 3), (1, 1, 1, 1))  # (B, A, 5, 5)
        columns = padded[..., :-1] + padded[..., 1:]
        kernel = (columns[..., :-1, :] + columns[..., 1:, :]).transpose(0, 1)  # (A, B, 4, 4)
        return F.conv_transpose2d(x, kernel, self.bias, stride=2, padding=1)


def fuse_batch_norm(network: nn.Module) -> nn.Module:
    """Copy a network in eval mode without the batch norms that follow a convolution.

    The result is the same up to rounding. What is in training mode, and draws with the statistics of its batch, and
    norms that follow anything else stay as they are.
    """
    copy = deepcopy(network)
    for module in copy.modules():
        if isinstance(module, nn.Sequential):
            _fold(module)
    return copy


def _fold(layers: nn.Sequential) -> None:
    for number in range(len(layers) - 1):
        convolution, norm = layers[number], layers[number + 1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and not norm.training:
            layers[number] = fuse_conv_bn_eval(convolution, norm)
            layers[number + 1] = nn.Identity()
