"""From the processor's memory to the device, without making either wait for the other."""

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


def to_device(values: Tensor | NDArray[Any], device: torch.device) -> Tensor:
    """Values on the device.

    For a GPU they are copied into pinned memory first: from any other the copy would wait for all work of the GPU.
    """
    tensor = torch.as_tensor(values)
    return pin(tensor, device).to(device, non_blocking=True)


def pin(tensor: Tensor, device: torch.device) -> Tensor:
    """In memory from which a GPU reads by itself; as it is for another device."""
    return tensor.pin_memory() if device.type == "cuda" and tensor.device.type == "cpu" else tensor
