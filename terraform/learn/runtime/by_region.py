"""L1 by region while learning: on the device, so that a step waits for nothing."""

import torch
from torch import Tensor

from terraform.learn.runtime.distributed import Processes

_LEVELS = 127.5


class ByRegion:
    """Sums of L1 over the pictures of each region since the last row.

    Parameters
    ----------
    names : tuple of str
        Of the regions, in the order of their numbers.
    device : torch.device
    """

    def __init__(self, names: tuple[str, ...], device: torch.device) -> None:
        self.names = names
        self.values = torch.zeros(2, len(names), dtype=torch.float64, device=device)

    def add(self, per_image_l1: Tensor, regions: Tensor) -> None:
        """Count a batch.

        Parameters
        ----------
        per_image_l1 : (N,) float
            Of each picture; one that is no number is left out.
        regions : (N,) int64
            Numbers of the pictures' regions, on the device.
        """
        good = torch.isfinite(per_image_l1)
        pictures = torch.stack([torch.where(good, per_image_l1, 0), good]).to(torch.float64)
        self.values.index_add_(1, regions, pictures)

    def gather(self, processes: Processes) -> None:
        """Bring what all processes counted to the first."""
        processes.sum_at_first(self.values)

    def read(self) -> dict[str, float]:
        """Mean L1 by region, levels of 255, of regions that had pictures."""
        sums, counts = self.values.tolist()
        means = zip(self.names, sums, counts, strict=True)
        return {name: total / count * _LEVELS for name, total, count in means if count}


def per_image_l1(generated: Tensor, imagery: Tensor, valid: Tensor) -> Tensor:
    """Compute the mean absolute difference of each picture over its valid pixels; no gradient flows.

    Parameters
    ----------
    generated, imagery : (N, 3, H, W) float, [-1, 1]
    valid : (N, 1, H, W) float
        1 where the picture counts.

    Returns
    -------
    (N,) float
        0 to 2; 0 where nothing is valid.
    """
    apart = ((generated.detach() - imagery).abs() * valid).sum((1, 2, 3))
    return apart / (valid.sum((1, 2, 3)) * 3).clamp_min(1)
