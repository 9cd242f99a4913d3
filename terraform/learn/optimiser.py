"""Adam over parameters as they lie in memory."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Adam:
    """Fused Adam with the momenta of pix2pix (Isola et al. 2017, 3.3: 0.5, 0.999).

    The fused kernel walks straight through memory, and copies what does not lie in the order of its dimensions. So it
    is given views of the parameters that do, and gradients turned likewise; kernels that lie channels last are never
    copied.

    Parameters
    ----------
    network : nn.Module
        Laid out for good: what moves its parameters in memory later leaves this behind.
    rate : float
        The full learning rate.

    Attributes
    ----------
    parameters : list of nn.Parameter
        Of the network.
    """

    def __init__(self, network: nn.Module, rate: float) -> None:
        self.parameters = list(network.parameters())
        self._views = [_in_order(parameter.detach(), parameter) for parameter in self.parameters]
        self._rate = rate
        self._adam = torch.optim.Adam(self._views, betas=(0.5, 0.999), fused=True)

    def step(self, gradients: Sequence[Tensor], share: float, good: Tensor) -> None:
        """Move the parameters, unless the step was not good.

        Parameters
        ----------
        gradients : sequence of Tensor
            One for each parameter.
        share : float
            Of the full rate.
        good : () bool Tensor
            On the device of the network, which is not waited for.
        """
        for view, parameter, gradient in zip(self._views, self.parameters, gradients, strict=True):
            view.grad = _in_order(gradient, parameter).contiguous()
        self._adam.param_groups[0]["lr"] = self._rate * share
        # The fused kernel leaves everything as it is where this is 1.
        self._adam.found_inf = (~good).to(torch.float32)  # type: ignore[attr-defined]
        self._adam.step()

    def tensors(self) -> dict[str, Tensor]:
        """Its state by "index.name", the index that of a parameter."""
        state = self._adam.state_dict()["state"]
        return {f"{index}.{name}": value for index, values in state.items() for name, value in values.items()}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `tensors` returned."""
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            index, _, name = key.partition(".")
            state.setdefault(int(index), {})[name] = value
        self._adam.load_state_dict({"state": state, "param_groups": self._adam.state_dict()["param_groups"]})


def _in_order(values: Tensor, like: Tensor) -> Tensor:
    """Make a view whose dimensions are in the order in which those of `like` lie in memory."""
    last = like.dim() == 4 and not like.is_contiguous() and like.is_contiguous(memory_format=torch.channels_last)
    return values.permute(0, 2, 3, 1) if last else values
