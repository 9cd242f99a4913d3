"""Fidelity: how close a picture is, pixel by pixel and structure by structure, to the one of the same place."""

import numpy as np
import torch
from torch import Tensor

from terraform.evaluation.resampling import Statistic, mean, of_sums, ratio

_AT_ONCE = 8
_RANGE = 2.0
_LEAST_PX = 176


def fidelity(drawn: Tensor, real: Tensor, valid: Tensor) -> dict[str, Statistic]:
    """Measure L1 (levels of 255), PSNR (dB), SSIM and MS-SSIM (both by torchmetrics).

    Parameters
    ----------
    drawn, real : (N, 3, H, W) float, [-1, 1]
    valid : (N, 1, H, W) float, 1 where there is data
        What is not valid counts as equal in all but L1, where it does not count.

    Returns
    -------
    dict of str to Statistic
        MS-SSIM only of pictures of 176 pixels or more, which its five scales need.
    """
    parts = range(0, len(drawn), _AT_ONCE)
    rows = [_of(*(x[first : first + _AT_ONCE] for x in (drawn, real, valid))) for first in parts]
    difference, known, square, ssim, ms_ssim = (
        np.asarray(torch.cat(part).double()) for part in zip(*rows, strict=True)
    )
    squares = np.stack([square, np.ones_like(square)], 1)
    found = {
        "l1": ratio(127.5 * difference, known),
        "psnr_db": of_sums(squares, lambda sums: 10 * np.log10(_RANGE**2 * sums[:, 1] / np.maximum(sums[:, 0], 1e-12))),
        "ssim": mean(ssim),
    }
    return found | ({"ms_ssim": mean(ms_ssim)} if drawn.shape[-1] >= _LEAST_PX else {})


def _of(drawn: Tensor, real: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure,
        structural_similarity_index_measure,
    )

    a, b = ((x * valid).contiguous(memory_format=torch.channels_last) for x in (drawn, real))  # twice as fast
    ssim = structural_similarity_index_measure(a, b, data_range=_RANGE, reduction="none")
    assert isinstance(ssim, Tensor)
    scales = ssim
    if a.shape[-1] >= _LEAST_PX:
        scales = multiscale_structural_similarity_index_measure(a, b, data_range=_RANGE, reduction="none")
    apart = a - b
    return apart.abs().sum((1, 2, 3)), 3 * valid.sum((1, 2, 3)), (apart**2).mean((1, 2, 3)), ssim, scales
