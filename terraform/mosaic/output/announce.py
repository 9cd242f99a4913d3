"""What a drawing is about to make, in one line before it begins, and how long it may take."""

from time import monotonic

import torch

from terraform.config import Mosaics
from terraform.geo.bodies import Body
from terraform.mosaic.inference import Predictor

_TRIAL_PX = 128
_REST = 1.4
"""The whole over the network's share: reading, encoding, blending, compressing (docs/performance.md)."""


def announce(
    body: Body | None, settings: Mosaics, base: str, shape: tuple[int, int], pixel_m: float, predictor: Predictor,
    parts: int = 1,
) -> None:  # fmt: skip
    """Say what is drawn: body, policy, shoreline, climate, base colours, size, pixel size, time.

    Parameters
    ----------
    body : Body or None
        None where it is not known.
    base : str
        Where base colours come from.
    shape : tuple of int
        Rows and columns of the result.
    pixel_m : float
        Side of its pixels, metres.
    parts : int
        Pixels along each side of one of its pixels that the network draws, to be averaged.
    """
    chosen = settings.elevation
    shoreline = "its own" if chosen.policy == "clip" else f"{chosen.shoreline_m:g} m"
    size_m = float(f"{pixel_m:.4g}")
    drawn = shape[0] * parts, shape[1] * parts
    print(
        f"drawing {body.name if body else 'heights on a plane'}: policy {chosen.policy}, shoreline {shoreline}, "
        f"climate {_climate(settings)}, base {base}; {shape[1]:,} x {shape[0]:,} pixels of {size_m:,.10g} m, about "
        f"{duration(seconds(predictor, drawn))}",
        flush=True,
    )


def _climate(settings: Mosaics) -> str:
    told = settings.climate.model_dump(exclude_defaults=True)
    return ", ".join(f"{name} {value:g}" for name, value in told.items()) or "its own"


def seconds(predictor: Predictor, shape: tuple[int, int]) -> float:
    """Estimate how long a drawing takes, seconds, from one small pass of the network on this machine."""
    trained = predictor.trained
    side = _TRIAL_PX if trained.tile_safe else trained.spec.tile_px  # `unet256` takes no less
    seen = torch.zeros(1, trained.channels, side, side, device=predictor.device)
    took = min(_timed(predictor, seen) for _ in range(2))
    window, halo = predictor.settings.window_px, trained.halo_px
    height, width = (min(size, window) for size in shape)
    rim = (1 + 2 * halo / height) * (1 + 2 * halo / width)
    return _REST * took * rim * shape[0] * shape[1] / side**2


def _timed(predictor: Predictor, seen: torch.Tensor) -> float:
    start = monotonic()
    predictor.forward(seen)
    if seen.is_cuda:
        torch.cuda.synchronize()
    return monotonic() - start


def duration(seconds_: float) -> str:
    """Put a duration into words, to one or two digits: "20 s", "7 min", "3 h"."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds_ >= 1.5 * size:
            return f"{float(f'{seconds_ / size:.2g}'):g} {unit}"
    return f"{max(1, round(seconds_))} s"
