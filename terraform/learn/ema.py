"""The moving average of a generator, and the network that is drawn with."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from terraform.config import Train
from terraform.learn.data.augment import Batch
from terraform.learn.models.generators import strengthen
from terraform.learn.weights import set_inference_mode


@torch.no_grad()
def update(average: nn.Module, generator: nn.Module, decay: float, steps: int, good: Tensor) -> None:
    """Move the average towards the generator, unless the step was not good.

    Parameters
    ----------
    decay : float
        Share that stays. A young average would remember the initial weights, so it begins lower.
    steps : int
        Steps made so far.
    good : () bool Tensor
        On the device of the networks.
    """
    share = (1 - min(decay, (1 + steps) / (10 + steps))) * good.to(torch.float32)
    mine: list[Tensor] = list(average.parameters())
    theirs: list[Tensor] = list(generator.parameters())
    moves = torch._foreach_sub(theirs, mine)
    torch._foreach_mul_(moves, share)
    torch._foreach_add_(mine, list(moves))
    for own, other in zip(average.buffers(), generator.buffers(), strict=True):
        own.copy_(other)


@torch.no_grad()
def inference_copy(
    source: nn.Module, settings: Train, batches: list[Batch], start: Mapping[str, Tensor] | None = None
) -> nn.Module:
    """Make the network used for inference: a copy with running statistics estimated anew, its detail strengthened.

    Of the weights that the run started from it keeps the share `settings.start_share`.

    The average never saw the statistics that the generator collected; a pass over some of `batches` in training mode
    gives it its own (Izmailov et al. 2018, 3.2).
    """
    network = set_inference_mode(copy.deepcopy(source), settings)
    if start is not None and settings.start_share:
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(start[name].to(value), settings.start_share)
    strengthen(network, settings.detail_gain)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if not settings.ema_decay or not norms or network.training:
        return network
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative mean
    network.train()
    for batch in batches:
        network(batch.generator_input)
    for norm in norms:
        norm.momentum = 0.1
    return network.eval()
