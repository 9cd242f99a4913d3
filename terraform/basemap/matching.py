"""Colour matching between two imagery sources: a quadratic in red, green and blue, fitted where both are known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from terraform.errors import InputError

_TERMS = 10
_RIDGE = 1e-3
_ANCHORS = (0.0, 0.9, 1.0)
_ANCHOR_SHARE = 0.05


@dataclass(frozen=True)
class Matching:
    """A fitted change of colours.

    Attributes
    ----------
    factors : (10, 3) float64
        Of 1, r, g, b, rr, gg, bb, rg, rb, gb; added to the colour itself.
    before, after : float
        Mean absolute difference of the two sources where it was fitted, share of the range (times 255: levels).
    """

    factors: NDArray[np.float64]
    before: float
    after: float

    def __call__(self, colours: NDArray[np.float32]) -> NDArray[np.float32]:
        """Change colours (..., 3), 0 to 1, to the other source's, clipped to 0 to 1; float32."""
        flat = colours.reshape(-1, 3)
        changed = np.clip(flat + _terms(flat) @ self.factors.astype(np.float32), 0, 1)
        return np.asarray(changed.reshape(colours.shape), np.float32)


def match(
    source: NDArray[np.float32],
    target: NDArray[np.float32],
    weight: NDArray[np.float32] | None = None,
    ridge: float = _RIDGE,
) -> Matching:
    """Fit how one imagery source's colours become another's, by ridge least squares.

    Parameters
    ----------
    source, target : (N, 3) float32
        Colours of the same ground in both sources, 0 to 1.
    weight : (N,) float32, optional
        Weight of each; equal when left out.
    ridge : float
        Penalty on the squares of all factors but the constant, relative to the mean square of the errors of an
        untouched source being 1: it pulls towards no change.

    Returns
    -------
    Matching
        With its error before and after.

    Raises
    ------
    InputError
        Fewer samples than factors, two different counts, or non-finite colours.
    """
    if len(source) != len(target) or len(source) < _TERMS:
        raise InputError(
            f"{len(source)} and {len(target)} colours cannot be matched: give at least {_TERMS} of the same ground"
        )
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise InputError("colours that are not finite cannot be matched: leave voids out")
    share = np.ones(len(source)) if weight is None else np.asarray(weight, np.float64)
    share = share / share.sum()
    terms = _terms(source).astype(np.float64)
    penalty = ridge * np.eye(_TERMS)
    penalty[0, 0] = 0
    weighted = terms * share[:, None]
    factors = np.linalg.solve(terms.T @ weighted + penalty, weighted.T @ (target - source).astype(np.float64))
    fitted = Matching(factors, 0.0, 0.0)
    before, after = (float(np.abs(colours - target).mean(axis=1) @ share) for colours in (source, fitted(source)))
    return Matching(factors, before, after)


def match_anchored(source: NDArray[np.float32], target: NDArray[np.float32]) -> Matching:
    """Fit as `match` does, where little ground is known in both: black stays black, and snow neutral.

    Black, white and the grey of old snow (0.9; Wiscombe and Warren 1980) count as much as a twentieth of all samples
    each. Without them the quadratic takes snow, which few samples show, anywhere: 5 levels redder than it is.

    Parameters
    ----------
    source, target : (N, 3) float32
        Colours of the same ground in both sources, 0 to 1.

    Raises
    ------
    InputError
        As `match` does.
    """
    greys = np.repeat(np.array(_ANCHORS, np.float32)[:, None], 3, axis=1)
    weight = np.ones(len(source) + len(greys), np.float32)
    weight[: len(greys)] = _ANCHOR_SHARE * len(weight)
    return match(np.concatenate([greys, source]), np.concatenate([greys, target]), weight)


def _terms(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    r, g, b = np.moveaxis(colours, -1, 0)
    return np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, r * b, g * b], axis=-1)
