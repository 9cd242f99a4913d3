"""Fuse running statistics into the convolutions before them: the same function with fewer passes over memory."""

from copy import deepcopy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


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
