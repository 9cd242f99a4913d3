"""When the memory is full: how much there was, how much was needed, and a batch that would fit."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from traceback import clear_frames

import torch
from torch import Tensor, nn

from terraform.errors import ResourceError
from terraform.learn.runtime.malloc import reserved, resident

_SHARE = 0.6
"""Of the room for what autograd keeps of a batch: the rest is for what comes and goes within a layer."""


def used(device: torch.device) -> int:
    """Bytes in use now, on the GPU or by this process; 0 where that cannot be told."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    # What is reserved counts where that is limited (`ulimit -v`), otherwise what is in memory.
    return reserved() if _limit() else resident()


def _limit() -> int | None:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def activation_bytes(work: Callable[[], object], network: nn.Module) -> int:
    """Bytes that autograd keeps for the way back while some work is done, the network's own values not counted."""
    own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    kept: dict[int, int] = {}

    def note(values: Tensor) -> Tensor:
        storage = values.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return values

    with torch.autograd.graph.saved_tensors_hooks(note, lambda values: values):
        work()
    return sum(kept.values())


@contextmanager
def explain_oom(
    device: torch.device, batch: int, before: int = 0, one_image: Callable[[], int] | None = None
) -> Iterator[None]:
    """Turn an allocation that failed into an error that says what would fit; nothing is changed silently.

    Parameters
    ----------
    before : int
        Bytes that were in use before any batch.
    one_image : callable, optional
        Learns from one image and tells the bytes that it keeps meanwhile; half the batch is guessed without it.

    Raises
    ------
    ResourceError
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_of_memory(error):
            raise
        clear_frames(error.__traceback__)  # they hold what the step had made
        raise ResourceError(_message(device, batch, before, one_image)) from error


def _message(device: torch.device, batch: int, before: int, one_image: Callable[[], int] | None) -> str:
    """Say what was used and what to do."""
    if device.type == "cuda":
        most = torch.cuda.get_device_properties(device).total_memory
        peak = torch.cuda.max_memory_allocated(device)
        what = f"the GPU's memory is full at batch {batch}: {peak / 1e9:.1f} of {most / 1e9:.1f} GB were in use"
    else:
        # ru_maxrss is in kibibytes on Linux.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        most = _limit() or peak
        what = f"the memory is full at batch {batch}: {peak / 1e9:.1f} GB were in use"
    if batch == 1:
        return f"{what}: use a smaller train.width"
    try:
        each = one_image() if one_image else 0
    except (MemoryError, RuntimeError) as error:
        if not _is_of_memory(error):
            raise
        return f"{what}, and one image does not fit either: use a smaller train.width"
    if not each:
        return f"{what}: set train.batch to {batch // 2}, which needs about half, or lower train.width"
    fits = max(1, min(batch - 1, int(_SHARE * (most - before) / each)))
    return f"{what}, an image takes {each / 1e9:.2f} GB: set train.batch to {fits}, or lower train.width"


def _is_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return "can't allocate memory" in str(error) or "not enough memory" in str(error)
