"""Steps with non-finite losses or gradients: not made, counted, and the end of a run when they do not stop.

All of it lies on the device, so that a step never waits for the processor; it is read where a row of the history ends.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_FIELDS = ("counted", "skipped", "streak", "longest", "since", "norm_g", "norm_d")


@dataclass(frozen=True)
class StepSummary:
    """What happened since the last row.

    Attributes
    ----------
    losses : list of float
        Means over the steps that were made; NaN when none was.
    steps, skipped : int
        Steps made and steps skipped.
    longest : int
        Most skipped in a row, the row before included.
    since : int
        First image of the last streak of skipped steps.
    norms : (float, float)
        Norms of the generator's and the discriminator's gradients in the last step.
    """

    losses: list[float]
    steps: int
    skipped: int
    longest: int
    since: int
    norms: tuple[float, float]


class StepStats:
    """Sums of losses over good steps, and counts of bad ones, on the device.

    Parameters
    ----------
    losses : int
        How many losses a step has.
    device : torch.device
    """

    def __init__(self, losses: int, device: torch.device) -> None:
        self.values = torch.zeros(losses + len(_FIELDS), dtype=torch.float64, device=device)
        self._losses = losses

    def add(self, losses: Tensor, norms: Tensor, good: Tensor, image: int) -> None:
        """Count a step.

        Parameters
        ----------
        losses : (L,) Tensor
        norms : (2,) Tensor
        good : () bool Tensor
        image : int
            First image of the step's batch.
        """
        sums, (counted, skipped, streak, longest, since) = self.values[: self._losses], self.values[self._losses : -2]
        ok = good.to(torch.float64)
        since = torch.where(good | (streak > 0), since, image)
        streak = (streak + 1) * (1 - ok)
        kept = sums + torch.where(good, losses.to(torch.float64), 0)
        counts = torch.stack([counted + ok, skipped + 1 - ok, streak, torch.maximum(longest, streak), since])
        self.values = torch.cat([kept, counts, norms.to(torch.float64)])

    def read(self) -> StepSummary:
        """Read what was counted since the last `clear`."""
        values = self.values.tolist()
        counted, skipped, _, longest, since, norm_g, norm_d = values[self._losses :]
        losses = [total / counted if counted else float("nan") for total in values[: self._losses]]
        return StepSummary(losses, int(counted), int(skipped), int(longest), int(since), (norm_g, norm_d))

    def clear(self) -> None:
        """Begin a row; a streak of skipped steps goes on."""
        first = self._losses
        self.values[: first + 2] = 0
        self.values[first + 3] = self.values[first + 2]


class BufferSnapshot:
    """The running statistics of networks, so that those of a bad step can be undone in a few operations.

    Parameters
    ----------
    networks : iterable of nn.Module
        Their floating-point buffers are meant.
    """

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        buffers = [buffer for network in networks for buffer in network.buffers()]
        self._buffers = [buffer for buffer in buffers if buffer.is_floating_point()]
        self._sizes = [buffer.numel() for buffer in self._buffers]

    def kept(self) -> Tensor:
        """Copy them, to go back to."""
        return torch.cat([buffer.flatten() for buffer in self._buffers]) if self._buffers else torch.zeros(0)

    @torch.no_grad()
    def restore_unless(self, kept: Tensor, good: Tensor) -> None:
        """Go back to a copy unless the step was good."""
        if not self._buffers:
            return
        settled = torch.where(good, self.kept(), kept)
        parts = [part.view_as(own) for part, own in zip(torch.split(settled, self._sizes), self._buffers, strict=True)]
        torch._foreach_copy_(self._buffers, parts)


def norm_of(gradients: Sequence[Tensor]) -> Tensor:
    """Euclidean norm of all gradients together."""
    total: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(list(gradients))))
    return total
