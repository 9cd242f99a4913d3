"""Fit the climate's constants on a part of Earth's longitudes: Levenberg and Marquardt's search with differences."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.earth_climate import Observed
from terraform.climate.model import simulate
from terraform.climate.monthly import MonthlyClimate
from terraform.config.climate import ClimateModel

_SPREAD_K, _SPREAD_LOG = 3.0, 0.25
_SEA_WEIGHT = 0.15
_LIMIT = 3.0
_PRIOR = 0.05
_SMALL = 0.05
_TIMES: tuple[Any, ...] = (slice(None), slice(5, 8), [11, 0, 1], slice(2, 5), slice(8, 11))


class Knob(NamedTuple):
    """A constant to fit: its dotted name; positive ones move by factors, others by steps of `step`."""

    name: str
    step: float = 0.0


def value_of(settings: ClimateModel, name: str) -> float:
    """Read a constant by its dotted name."""
    found: Any = settings
    for part in name.split("."):
        found = getattr(found, part)
    return float(found)


def with_values(settings: ClimateModel, values: dict[str, float]) -> ClimateModel:
    """Replace constants of settings, checked again."""
    document = settings.model_dump()
    for name, value in values.items():
        *path, last = name.split(".")
        inner = document
        for part in path:
            inner = inner[part]
        inner[last] = value
    return ClimateModel.model_validate(document)


def residuals(settings: ClimateModel, earth: Observed, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weighted errors of the year and its quarters: temperature over 3 K, log10 of rain over 0.25; limited to 3."""
    made = simulate(earth.elevation_m, earth.sea, earth.grid, settings)
    weights = np.sqrt(
        np.broadcast_to(earth.grid.area_weight, earth.grid.shape) * np.where(earth.sea, _SEA_WEIGHT, 1.0)
    )[where]
    parts = [_errors(made, earth.climate, months, where) * weights for months in _TIMES]
    return np.asarray(np.concatenate([p.ravel() for p in parts]) / np.sqrt((weights**2).sum()), np.float64)


def fit(
    settings: ClimateModel,
    expected: ClimateModel,
    knobs: Sequence[Knob],
    misfit: Callable[[ClimateModel], NDArray[np.float64]],
    rounds: int,
    say: Callable[[str], None],
) -> ClimateModel:
    """Lower the sum of squares of `misfit` over the knobs, round by round.

    Constants are drawn back to the expected ones (a factor of e costs as much as `_PRIOR`), so that none wanders where
    nothing speaks for it.
    """

    def cost(at: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.append(misfit(_moved(expected, knobs, at)), np.sqrt(_PRIOR) * at)

    def slope(at: NDArray[np.float64], row: NDArray[np.float64]) -> NDArray[np.float64]:
        try:
            return (cost(at + _SMALL * row) - error) / _SMALL
        except ValueError:  # beyond what a constant may be
            return (error - cost(at - _SMALL * row)) / _SMALL

    at = np.array([_shift(knob, settings, expected) for knob in knobs])
    error, damping = cost(at), 0.1
    for number in range(rounds):
        slopes = np.stack([slope(at, row) for row in np.eye(len(knobs))])
        square, down = slopes @ slopes.T, slopes @ error
        before = error @ error
        for _ in range(6):
            step = -np.linalg.solve(square + damping * np.diag(np.diag(square)), down)
            step *= min(1.0, 0.6 / np.abs(step).max())
            try:
                tried = cost(at + step)
            except ValueError:
                tried = np.full(1, np.inf)
            if tried @ tried < before:
                at, error, damping = at + step, tried, max(damping / 4, 1e-4)
                break
            damping *= 5
        say(f"round {number}: {error @ error:.5f} damping {damping:.4f}")
        if error @ error > before * (1 - 5e-4):
            break
    return _moved(expected, knobs, at)


def _shift(knob: Knob, settings: ClimateModel, expected: ClimateModel) -> float:
    here, there = value_of(settings, knob.name), value_of(expected, knob.name)
    return (here - there) / knob.step if knob.step else float(np.log(here / there))


def _moved(settings: ClimateModel, knobs: Sequence[Knob], at: NDArray[np.float64]) -> ClimateModel:
    values = {}
    for knob, shift in zip(knobs, at, strict=True):
        old = value_of(settings, knob.name)
        values[knob.name] = old + shift * knob.step if knob.step else old * float(np.exp(shift))
    return with_values(settings, values)


def _errors(made: MonthlyClimate, seen: MonthlyClimate, months: Any, where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(2, N): of temperature and of rain, in units of their spread, limited smoothly."""
    warmth = (made.temperature[months].mean(axis=0) - seen.temperature[months].mean(axis=0))[where] / _SPREAD_K
    rain = [np.log10(np.maximum(c.precipitation[months].mean(axis=0), 0) + 2)[where] for c in (made, seen)]
    both = np.stack([warmth, (rain[0] - rain[1]) / _SPREAD_LOG]).astype(np.float64)
    return _LIMIT * np.tanh(both / _LIMIT)
