"""How close generated imagery is to real imagery: colours (L1, PSNR, SSIM, by relief), texture (SWD), spectrum."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from terraform.pairs.base_colours import FULL_WIDTH_M
from terraform.pairs.smoothing import smooth

_PATCH_PX = 7
_PATCHES = 128
_DIRECTIONS = 128
_LEVELS = 4
_LEAST_OF_A_KIND = 2000


def l1(generated: Tensor, real: Tensor, valid: Tensor) -> float:
    """Mean absolute difference over valid pixels, levels of 255.

    Parameters
    ----------
    generated, real : (N, 3, H, W) float, [-1, 1]
    valid : (N, 1, H, W) float, 1 where there is data
    """
    return float(((generated - real).abs() * valid).sum() / (3 * valid.sum()).clamp_min(1)) * 127.5


def colour_given_relief(generated: Tensor, real: Tensor, kinds: Tensor) -> float:
    """How far the colours of one kind of terrain are from its real ones, levels of 255.

    The Wasserstein distance of each band within each kind, by 101 quantiles; its mean over bands, and over kinds by
    their share of the ground. Unlike L1 it asks not for the right pixel but for the right colours of such places.

    Parameters
    ----------
    generated, real : (N, 3, H, W) float, [-1, 1]
    kinds : (N, H, W) int64
        Kind of terrain of each pixel; below 0 it is left out.
    """
    at = torch.linspace(0, 1, 101)
    total, weight = 0.0, 0
    for kind in torch.unique(kinds).tolist():
        chosen = kinds == kind
        count = int(chosen.sum())
        if kind < 0 or count < _LEAST_OF_A_KIND:
            continue
        a, b = (x.movedim(1, 0)[:, chosen].sort(1).values for x in (generated, real))
        index = (at * (count - 1)).round().long()
        total += count * float((a[:, index] - b[:, index]).abs().mean())
        weight += count
    return 127.5 * total / max(weight, 1)


def base_drift(pictures: Tensor, base: Tensor, sea: Tensor, valid: Tensor, pixel_m: float) -> float:
    """Measure how far the smooth colours of pictures are from their base colours, levels of 255.

    The difference is averaged by a Gaussian as wide as that of base colours, 16 km, over land and over sea apart, and
    its absolute value over the middle of each picture, where the Gaussian has most of its weight inside.

    Parameters
    ----------
    pictures, base : (N, 3, H, W) float, [-1, 1]
    sea : (N, 1, H, W) bool
    valid : (N, 1, H, W) float, 1 where there is data
    pixel_m : float
        Side of a pixel, metres.

    Returns
    -------
    float
    """
    total, weight = 0.0, 0.0
    middle = slice(pictures.shape[-1] // 4, -(pictures.shape[-1] // 4))
    for kind in (sea, ~sea):
        known = kind * valid
        smoothed = smooth(torch.cat([(pictures - base) * known, known], 1), FULL_WIDTH_M / pixel_m)
        drift = (smoothed[:, :3] / smoothed[:, 3:].clamp_min(1e-3)).abs() * known
        total += float(drift[..., middle, middle].sum()) / 3
        weight += float(known[..., middle, middle].sum())
    return 127.5 * total / max(weight, 1)


def fidelity(generated: Tensor, real: Tensor) -> dict[str, float]:
    """PSNR (dB) and SSIM of whole pictures, by torchmetrics."""
    from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

    a, b = generated.contiguous(), real.contiguous()
    ssim = structural_similarity_index_measure(a, b, data_range=2.0)
    return {"psnr_db": float(peak_signal_noise_ratio(a, b, data_range=2.0)), "ssim": float(ssim)}  # type: ignore[arg-type]


def sliced_wasserstein(generated: Tensor, real: Tensor, seed: int = 0) -> float:
    """Sliced Wasserstein distance of patches of Laplacian pyramids, x 1000, mean over four levels.

    After Karras et al. (2018, appendix B): 7 x 7 patches, 128 per picture and level, 128 directions. Unlike there both
    sets are normalised by the real set's statistics, so that a wrong contrast counts.

    Parameters
    ----------
    generated, real : (N, 3, H, W) float, [-1, 1]
        As many of one as of the other.
    """
    draw = torch.Generator().manual_seed(seed)
    distances = []
    for fake_level, real_level in zip(_pyramid(generated), _pyramid(real), strict=True):
        a, b = _patches(fake_level, seed), _patches(real_level, seed)
        mean, deviation = b.mean((0, 2), keepdim=True), b.std((0, 2), keepdim=True).clamp_min(1e-6)
        a, b = ((x - mean) / deviation for x in (a, b))
        directions = F.normalize(torch.randn(_DIRECTIONS, a.shape[1] * a.shape[2], generator=draw), dim=1)
        projected = [(x.flatten(1) @ directions.T).sort(0).values for x in (a, b)]
        distances.append(float((projected[0] - projected[1]).abs().mean()))
    return 1000 * float(np.mean(distances))


def spectrum_db(pictures: Tensor) -> NDArray[np.float64]:
    """Radial power spectrum of the luminance, dB, mean over pictures.

    Parameters
    ----------
    pictures : (N, 3, H, W) float, [-1, 1]; square

    Returns
    -------
    (H // 2,) float64
        Power at 0, 1, 2 ... cycles per picture; a Hann window keeps the borders out.
    """
    side = pictures.shape[-1]
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=pictures.dtype).view(1, 3, 1, 1)
    luminance = (pictures * weights).sum(1) * 127.5  # (N, H, W)
    window = torch.hann_window(side, periodic=False)
    power = torch.fft.fft2((luminance - luminance.mean((1, 2), keepdim=True)) * window[:, None] * window).abs() ** 2
    frequency = torch.fft.fftfreq(side) * side
    ring = torch.hypot(frequency[:, None], frequency).round().to(torch.int64).flatten()
    total = torch.zeros(int(ring.max()) + 1, dtype=torch.float64)
    total.index_add_(0, ring, power.mean(0).flatten().double())
    count = torch.bincount(ring, minlength=len(total)).double()
    mean = (total / count.clamp_min(1))[: side // 2].clamp_min(1e-3)
    return np.asarray(10 * torch.log10(mean))


def spectrum_distance(generated: Tensor, real: Tensor) -> float:
    """Mean absolute difference of two radial power spectra from 2 cycles a picture on, dB."""
    return float(np.abs(spectrum_db(generated)[2:] - spectrum_db(real)[2:]).mean())


def checkerboard(pictures: Tensor) -> dict[int, float]:
    """How far the power at periods 2, 4, 8 and 16 pixels along the axes stands above its neighbours, as a ratio."""
    side = pictures.shape[-1]
    rows = (torch.fft.rfft(pictures.mean(1), dim=2).abs() ** 2).mean((0, 1))
    columns = (torch.fft.rfft(pictures.mean(1), dim=1).abs() ** 2).mean((0, 2))
    power = rows + columns
    return {period: _peak(power, side // period) for period in (2, 4, 8, 16)}


def _peak(power: Tensor, at: int) -> float:
    near = [i for i in range(at - 4, at + 5) if abs(i - at) > 1 and 0 < i < len(power)]
    return float(power[at] / power[near].mean().clamp_min(1e-12))


def _pyramid(pictures: Tensor) -> list[Tensor]:
    levels = []
    for _ in range(_LEVELS - 1):
        small = F.avg_pool2d(pictures, 2)
        levels.append(pictures - F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False))
        pictures = small
    return [*levels, pictures]


def _patches(level: Tensor, seed: int) -> Tensor:
    """Patches at random places, (N * 128, 3, 49); the same places for both sets."""
    draw = torch.Generator().manual_seed(seed + level.shape[-1])
    n, _, height, width = level.shape
    y = torch.randint(0, height - _PATCH_PX + 1, (n, _PATCHES, 1, 1), generator=draw)
    x = torch.randint(0, width - _PATCH_PX + 1, (n, _PATCHES, 1, 1), generator=draw)
    along = torch.arange(_PATCH_PX)
    rows, columns = y + along[:, None], x + along  # (N, P, 7, 1), (N, P, 1, 7)
    picture = torch.arange(n).view(n, 1, 1, 1)
    return level[picture, :, rows, columns].permute(0, 1, 4, 2, 3).reshape(n * _PATCHES, 3, _PATCH_PX**2)
