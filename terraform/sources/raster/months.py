"""Temperature or precipitation of twelve months, from files in which they stand as bands, in a stated unit."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform.config import PlanetFilesSource
from terraform.errors import ConfigError, InputError
from terraform.geo.bodies import Body
from terraform.sources import PlanetKind
from terraform.sources.raster.classify import MaskedPixels
from terraform.sources.raster.formats import Pixels, Raster, Span
from terraform.sources.raster.metadata.declared import Declared
from terraform.sources.raster.netcdf import SUFFIXES, open_netcdf
from terraform.sources.raster.opening import open_raster

MONTH_S = 365.25 / 12 * 86_400
"""Seconds of a month of precipitation, on every body: a twelfth of Earth's year."""

VARIABLES: dict[PlanetKind, tuple[str, ...]] = {
    "temperature": ("tas", "ts", "t2m"), "precipitation": ("pr", "tp"),
}  # fmt: skip
"""Names by which models write them; ExoPlaSim has tas, ts and pr (CMIP names)."""

_RANGES: dict[PlanetKind, tuple[float, float]] = {"temperature": (-200.0, 200.0), "precipitation": (-1.0, 20_000.0)}


class _Unit(NamedTuple):
    kind: PlanetKind
    factor: float
    offset: float = 0.0


_UNITS = {
    "degC": _Unit("temperature", 1.0),
    "K": _Unit("temperature", 1.0, -273.15),
    "0.1degC": _Unit("temperature", 0.1),
    "mm/month": _Unit("precipitation", 1.0),
    "mm/day": _Unit("precipitation", MONTH_S / 86_400),
    "kg m-2 s-1": _Unit("precipitation", MONTH_S),
    "m/s": _Unit("precipitation", 1000 * MONTH_S),
}
_ALIASES = {
    "c": "degC", "celsius": "degC", "deg_c": "degC", "degree_c": "degC", "degrees_c": "degC", "°c": "degC",
    "degree_celsius": "degC", "degrees celsius": "degC", "kelvin": "K", "0.1 degc": "0.1degC", "mm": "mm/month",
    "mm month-1": "mm/month", "mm day-1": "mm/day", "mm s-1": "kg m-2 s-1", "mm/s": "kg m-2 s-1",
    "kg/m2/s": "kg m-2 s-1", "kg m**-2 s**-1": "kg m-2 s-1", "m s-1": "m/s", "m s**-1": "m/s",
}  # fmt: skip


@contextmanager
def open_months(paths: Sequence[Path], settings: PlanetFilesSource, kind: PlanetKind, body: Body) -> Iterator[Raster]:
    """Open the twelve months of a climate.

    Parameters
    ----------
    paths : sequence of Path
        One file with twelve bands or more, or several in the order of the months, on one grid.
    settings : PlanetFilesSource
        Unit and bands, where the files do not state them; a CRS, by default the body's degrees.
    kind : {"temperature", "precipitation"}
    body : Body

    Yields
    ------
    Raster
        Twelve bands, float32 degrees Celsius or millimetres a month; NaN is missing.

    Raises
    ------
    ConfigError, InputError
        There are not twelve months, the unit is not stated or is none of this kind, or the grids differ.
    """
    declared = Declared(settings.crs or body.geographic_crs, settings.nodata)
    names = (settings.variable,) if settings.variable else VARIABLES[kind]
    with ExitStack() as stack:
        opened = [stack.enter_context(_open(path, declared, names)) for path in paths]
        rasters = [raster for raster, _ in opened]
        first = rasters[0]
        for raster in rasters[1:]:
            if (raster.transform, raster.height, raster.width) != (first.transform, first.height, first.width):
                raise InputError(f"{raster.name} is on another grid than {first.name}: the months must share one")
        unit = _unit(settings.unit or opened[0][1], kind, first.name)
        yield _joined(rasters, _bands(rasters, settings), unit)


def classify_months(pixels: Pixels, raster: Raster) -> MaskedPixels:
    """Classify the pixels of a monthly climate: void where any month is missing; nothing is sea.

    Raises
    ------
    InputError
        A value is no temperature or precipitation of any place.
    """
    valid = np.asarray(np.isfinite(pixels.values).all(axis=-1))
    return MaskedPixels(
        np.where(valid[..., None], pixels.values, 0).astype(np.float32), valid, np.zeros_like(valid)
    )  # fmt: skip


@contextmanager
def _open(path: Path, declared: Declared, names: Sequence[str]) -> Iterator[tuple[Raster, str | None]]:
    if path.suffix.lower() in SUFFIXES:
        with open_netcdf(path, declared, names) as found:
            yield found
    else:
        with open_raster(path, declared) as raster:
            yield raster, None


def _unit(stated: str | None, kind: PlanetKind, name: str) -> _Unit:
    known = [unit for unit, of in _UNITS.items() if of.kind == kind]
    if stated is None:
        raise ConfigError(f"{name} does not say the unit of its {kind}: say it with `unit:`, one of {', '.join(known)}")
    plain = " ".join(stated.split())
    unit = _UNITS.get(plain) or _UNITS.get(_ALIASES.get(plain.lower(), ""))
    if unit is None or unit.kind != kind:
        raise ConfigError(f"{name}: {stated!r} is no unit of {kind} that is known: use one of {', '.join(known)}")
    return unit


def _bands(rasters: Sequence[Raster], settings: PlanetFilesSource) -> list[int]:
    """Choose the bands of the months, counted from 0 over all files."""
    count = sum(raster.bands for raster in rasters)
    if settings.bands is not None and settings.first_month_band is not None:
        raise ConfigError("bands and first_month_band both say where the months are: keep one of them")
    if settings.bands is None and settings.first_month_band is None and count != 12:
        raise ConfigError(
            f"{rasters[0].name}: {count} bands in {len(rasters)} file(s), twelve months are expected: say which bands "
            "they are with `bands:` or `first_month_band:`"
        )
    first = settings.first_month_band or 1
    chosen = [band - 1 for band in settings.bands or range(first, first + 12)]
    if min(chosen) < 0 or max(chosen) >= count:
        raise ConfigError(
            f"{rasters[0].name} has {count} bands: bands {min(chosen) + 1} to {max(chosen) + 1} are asked"
        )
    return chosen


def _joined(rasters: Sequence[Raster], bands: Sequence[int], unit: _Unit) -> Raster:
    def read(rows: Span, columns: Span) -> Pixels:
        layers = np.concatenate([_layers(raster, rows, columns, unit) for raster in rasters], axis=-1)
        return Pixels(_plausible(layers[..., list(bands)], unit.kind, rasters[0].name), None)

    return replace(rasters[0], bands=12, dtype="float32", nodata=None, read=read)


def _layers(raster: Raster, rows: Span, columns: Span, unit: _Unit) -> NDArray[np.float32]:
    """Read all bands of a file, (h, w, C) float32 in our unit, NaN where missing."""
    values, hidden = raster.read(rows, columns)
    values = values[..., None] if values.ndim == 2 else values
    missing = _missing(values, raster.nodata)
    if hidden is not None:
        missing |= hidden[..., None]
    # A file that states its scale is scaled already.
    factor = 1.0 if unit == _UNITS["0.1degC"] and values.dtype.kind == "f" else unit.factor
    return np.where(missing, np.nan, values * factor + unit.offset).astype(np.float32)


def _missing(values: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    missing = np.zeros(values.shape, np.bool_)
    if values.dtype.kind == "f":
        missing |= ~(np.abs(values) < 1e30)
    if nodata is not None:
        missing |= np.isclose(values, nodata, rtol=1e-6, atol=0, equal_nan=True)
    return missing


def _plausible(values: NDArray[np.float32], kind: PlanetKind, name: str) -> NDArray[np.float32]:
    low, high = _RANGES[kind]
    known = values[np.isfinite(values)]
    if known.size and (known.min() < low or known.max() > high):
        raise InputError(
            f"{name} holds {kind} of {known.min():g} to {known.max():g} {'degC' if kind == 'temperature' else 'mm'}, "
            f"expected {low:g} to {high:g}: correct `unit:`, or say the missing value with `nodata:`"
        )
    return np.maximum(values, 0) if kind == "precipitation" else values
