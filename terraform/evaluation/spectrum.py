"""Spectra: the distance of radial power spectra, by bands, and the peaks of a lattice."""

import numpy as np
import torch
from torch import Tensor

from terraform.evaluation.resampling import Doubles, Statistic, of_sums

_LUMINANCE = (0.299, 0.587, 0.114)
_FIRST = 2
_LONG_PX, _SHORT_PX = 16, 4
_PERIODS = (2, 4, 8, 16)
_NEAR = 4


def spectrum(drawn: Tensor, real: Tensor) -> dict[str, Statistic]:
    """Measure the mean absolute difference of two radial power spectra, dB.

    Parameters
    ----------
    drawn, real : (N, 3, H, H) float, [-1, 1]

    Returns
    -------
    dict of str to Statistic
        "spectrum_db" from 2 cycles a picture on; with "_low" waves longer than 16 pixels, "_mid" those of 4 to 16,
        "_high" shorter ones.
    """
    side, powers = drawn.shape[-1], [radial_power(part) for part in (drawn, real)]
    long, short = side // _LONG_PX, side // _SHORT_PX
    bands = {"": (_FIRST, side // 2), "_low": (_FIRST, long), "_mid": (long, short), "_high": (short, side // 2)}
    return {
        f"spectrum_db{name}": of_sums(np.concatenate([power[:, first:last] for power in powers], 1), _distance)
        for name, (first, last) in bands.items()
    }


def _distance(sums: Doubles) -> Doubles:
    drawn, real = np.split(10 * np.log10(np.maximum(sums, 1e-3)), 2, axis=1)
    return np.asarray(np.abs(drawn - real).mean(1))


def radial_power(pictures: Tensor) -> Doubles:
    """Compute the radial power spectrum of the luminance of each picture.

    Parameters
    ----------
    pictures : (N, 3, H, H) float, [-1, 1]

    Returns
    -------
    (N, H // 2) float64
        Power, levels squared, at 0, 1, 2 ... cycles a picture; a Hann window keeps the borders out.
    """
    side = pictures.shape[-1]
    luminance = torch.einsum("nchw,c->nhw", pictures, torch.tensor(_LUMINANCE, dtype=pictures.dtype)) * 127.5
    window = torch.hann_window(side, periodic=False)
    power = torch.fft.rfft2((luminance - luminance.mean((1, 2), keepdim=True)) * window[:, None] * window).abs() ** 2
    across = torch.arange(side // 2 + 1)
    ring = torch.hypot((torch.fft.fftfreq(side) * side)[:, None], across).round().long().flatten()
    # A real picture's spectrum is symmetric: columns between the first and the last stand for two.
    twice = torch.where((across > 0) & (across < side // 2), 2.0, 1.0).expand(side, -1).flatten()
    total = torch.zeros(len(pictures), int(ring.max()) + 1)
    total.index_add_(1, ring, power.flatten(1) * twice)
    count = torch.bincount(ring, twice, len(total[0]))
    return np.asarray((total / count)[:, : side // 2].double())


def checkerboard(pictures: Tensor) -> dict[str, Statistic]:
    """Measure how far the power at periods of 2, 4, 8 and 16 pixels along the axes stands above its neighbours.

    Parameters
    ----------
    pictures : (N, 3, H, H) float, [-1, 1]

    Returns
    -------
    dict of "checkerboard_2" ... to Statistic
        A ratio, 1 where there is no lattice.
    """
    side, grey = pictures.shape[-1], pictures.mean(1)
    rows = (torch.fft.rfft(grey, dim=2).abs() ** 2).mean(1)
    columns = (torch.fft.rfft(grey, dim=1).abs() ** 2).mean(2)
    power = np.asarray((rows + columns).double())
    return {f"checkerboard_{period}": _peak(power, side // period) for period in _PERIODS}


def _peak(power: Doubles, at: int) -> Statistic:
    around = range(max(1, at - _NEAR), min(power.shape[1], at + _NEAR + 1))
    near = power[:, [place for place in around if abs(place - at) > 1]].mean(1)
    return of_sums(np.stack([power[:, at], near], 1), lambda sums: sums[:, 0] / np.maximum(sums[:, 1], 1e-12))
