"""The device that a training runs on, and how values reach it without making either wait for the other."""

import os
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from terraform.config import Train
from terraform.errors import ConfigError


def to_device(values: Tensor | NDArray[Any], device: torch.device) -> Tensor:
    """Copy values to the device.

    For a GPU they are copied into pinned memory first: from any other the copy would wait for all work of the GPU.
    """
    tensor = torch.as_tensor(values)
    return pin(tensor, device).to(device, non_blocking=True)


def pin(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy into memory from which a GPU reads by itself; leave it as it is for another device."""
    return tensor.pin_memory() if device.type == "cuda" and tensor.device.type == "cpu" else tensor


def choose_device(settings: Train) -> torch.device:
    """Choose where to train, and how exactly a GPU is to repeat itself.

    Raises
    ------
    ConfigError
        A GPU is wanted, and there is none.
    """
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("train.device is cuda, and torch finds no GPU: use auto or cpu")
    if settings.device == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    if settings.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = not settings.deterministic
    return device
