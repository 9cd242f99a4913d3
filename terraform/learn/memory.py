"""When the memory is full: how much there was, how much was needed, and a batch that would fit."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from terraform.errors import ResourceError


@contextmanager
def explained(device: torch.device, batch: int) -> Iterator[None]:
    """Turn an allocation that failed into an error that says what would fit; nothing is changed silently.

    Raises
    ------
    ResourceError
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_of_memory(error):
            raise
        raise ResourceError(message(device, batch)) from error


def message(device: torch.device, batch: int) -> str:
    """What was used and what to do."""
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        peak = torch.cuda.max_memory_allocated(device)
        what = f"the GPU's memory is full at batch {batch}: {peak / 1e9:.1f} of {total / 1e9:.1f} GB were in use"
    else:
        # ru_maxrss is in kibibytes on Linux.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        what = f"the memory is full at batch {batch}: {peak / 1e9:.1f} GB were in use"
    fits = batch // 2
    if not fits:
        return f"{what}: use a smaller train.width"
    return f"{what}: set train.batch to {fits}, which needs about half, or lower train.width"


def _is_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return "can't allocate memory" in str(error) or "not enough memory" in str(error)
