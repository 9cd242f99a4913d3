"""Rasters of a whole body: the ground that a climate stands on, the climate's file, the base colours' file."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from terraform import provenance
from terraform.climate.monthly import MONTHS, MonthlyClimate
from terraform.climate.sphere import Smoother
from terraform.errors import InputError
from terraform.geo import raster
from terraform.geo.grid import RasterGrid
from terraform.geo.heights import SEA, VOID
from terraform.geo.planet_grid import PlanetGrid
from terraform.geo.resample import Axis
from terraform.provenance import Provenance

_PROVENANCE = "PROVENANCE"
_LAPSE, _GRAVITY, _SHORELINE = "LAPSE_RATE_K_PER_KM", "GRAVITY_M_S2", "SHORELINE_M"
_NAMES = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
_STEP = np.float32(1 / 64)
"""What temperatures and rain are rounded to; whole powers of two compress best."""


class Land(NamedTuple):
    """What the shoreline makes of a body's heights.

    Attributes
    ----------
    grid : PlanetGrid
    height_m : (H, W) float32
        Height above the shoreline, metres; in the sea its depth as a negative number, 0 where that is not known.
    land : (H, W) bool
    """

    grid: PlanetGrid
    height_m: NDArray[np.float32]
    land: NDArray[np.bool_]

    @property
    def above_m(self) -> NDArray[np.float32]:
        """Height above the shoreline, (H, W) float32 metres; the sea, and land below it, is 0."""
        return np.where(self.land, np.maximum(self.height_m, 0), np.float32(0))


class StoredClimate(NamedTuple):
    """A climate with what is needed to take it to other heights.

    Attributes
    ----------
    grid : PlanetGrid
    monthly : MonthlyClimate
        (12, H, W); temperatures of the cells' mean heights.
    height_m : (H, W) float32
        These heights above the shoreline, metres.
    lapse_rate_k_per_km, gravity_m_s2, shoreline_m : float
    """

    grid: PlanetGrid
    monthly: MonthlyClimate
    height_m: NDArray[np.float32]
    lapse_rate_k_per_km: float
    gravity_m_s2: float
    shoreline_m: float


def read_bands(path: Path) -> tuple[PlanetGrid, NDArray[Any], dict[str, str]]:
    """Read a raster of a whole body.

    Returns
    -------
    PlanetGrid
        Where it lies.
    (H, W) or (H, W, bands) array
        As it is stored.
    dict of str
        Its tags.

    Raises
    ------
    InputError
        It is missing or damaged, or does not cover a body from 180 W to 180 E, north to south.
    """
    with raster.opened(path) as dataset:
        lying = raster.grid_of(dataset)
        grid = PlanetGrid(lying.body, lying.latitudes.count / 180)
        if not _same(lying, grid):
            raise InputError(
                f"{path} covers {lying.latitudes.origin:g} N, {lying.longitudes.origin:g} E with "
                f"{lying.latitudes.count} x {lying.longitudes.count} cells, expected a whole body from 90 N, 180 W: "
                "fetch it with `python -m terraform fetch --planet BODY`"
            )
        return grid, raster.read(dataset), dict(dataset.tags())


def raster_grid(grid: PlanetGrid) -> RasterGrid:
    """Describe a planet grid as a raster in degrees."""
    step = grid.cell_deg
    return RasterGrid(grid.body, Axis(90.0, -step, grid.height), Axis(-180.0, step, grid.width))


def _same(lying: RasterGrid, grid: PlanetGrid) -> bool:
    expected, near = raster_grid(grid), grid.cell_deg / 100
    return (
        lying.longitudes.count == expected.longitudes.count
        and abs(lying.latitudes.origin - 90) < near
        and abs(lying.longitudes.origin + 180) < near
        and abs(lying.longitudes.step - expected.longitudes.step) * grid.width < near
    )


def read_land(path: Path, shoreline_m: float) -> Land:
    """Read heights and tell land from sea.

    Where the raster marks its sea, land below the shoreline stays land, unless the shoreline is raised; where it holds
    the floor of the sea, or has none, whatever lies below the shoreline is sea.

    Parameters
    ----------
    path : Path
        int16 metres above the body's datum, `fetch --planet`.
    shoreline_m : float
        Above the datum, metres.

    Raises
    ------
    InputError
        It is no raster of a whole body, or all of it is void.
    """
    grid, stored, _ = read_bands(path)
    marked, void = stored == SEA, stored == VOID
    metres = fill(np.where(marked, 0, stored).astype(np.float32)[None], ~void, grid, path)[0] - np.float32(shoreline_m)
    below = metres < 0
    sea = marked if marked.any() and shoreline_m <= 0 else marked | below
    return Land(grid, np.where(marked, np.float32(0), metres), ~sea)


def read_months(path: Path) -> tuple[PlanetGrid, NDArray[np.float32]]:
    """Read twelve months of temperature or precipitation; voids are filled from their surroundings.

    Returns
    -------
    PlanetGrid
        Where they lie.
    (12, H, W) float32
        Degrees Celsius or millimetres a month.

    Raises
    ------
    InputError
        It has other than twelve bands.
    """
    with raster.opened(path) as dataset:
        scale = float(dataset.scales[0])
    grid, stored, _ = read_bands(path)
    if stored.ndim != 3 or stored.shape[-1] != MONTHS:
        raise InputError(f"{path} has not the {MONTHS} bands of a year: fetch it with `fetch --planet BODY`")
    void = (stored == VOID).any(axis=-1)
    months = np.moveaxis(stored, -1, 0).astype(np.float32) * np.float32(scale)
    return grid, fill(months, ~void, grid, path)


def fill(values: NDArray[np.float32], valid: NDArray[np.bool_], grid: PlanetGrid, path: Path) -> NDArray[np.float32]:
    """Fill voids (N, H, W) smoothly from what is valid (H, W), first from near, then from ever farther.

    Raises
    ------
    InputError
        Nothing is valid.
    """
    if not valid.any():
        raise InputError(f"{path} is void everywhere: fetch it again")
    known = valid.copy()
    filled = np.where(known, values, np.float32(0))
    length_m = 2 * grid.cell_deg * grid.body.metres_per_degree
    while not known.all():
        smooth = Smoother(grid, length_m)
        share = smooth(known.astype(np.float32))
        found = ~known & (share > 0.01)
        for layer in filled:
            layer[found] = smooth(np.where(known, layer, 0))[found] / share[found]
        known |= found
        length_m *= 3
    return filled


def write_climate(path: Path, climate: StoredClimate, made: Provenance) -> None:
    """Publish a climate: bands 1 to 12 temperature, 13 to 24 precipitation, 25 the heights they belong to; float32."""
    monthly = climate.monthly
    stack = np.concatenate([monthly.temperature, monthly.precipitation, climate.height_m[None]])
    stack = np.rint(stack / _STEP) * _STEP
    tags = made.tags() | {
        _PROVENANCE: provenance.to_json(made),
        _LAPSE: f"{climate.lapse_rate_k_per_km:.6g}",
        _GRAVITY: f"{climate.gravity_m_s2:.6g}",
        _SHORELINE: f"{climate.shoreline_m:.6g}",
        "UNITS": "degC; mm/month; m",
    }
    names = [f"{kind} {month}" for kind in ("temperature", "precipitation") for month in _NAMES] + ["height"]
    strips = [np.moveaxis(stack, 0, -1)]
    raster.write_strips(path, raster_grid(climate.grid), strips, len(names), "float32", tags, names=names)


def read_climate(path: Path) -> tuple[StoredClimate, Provenance]:
    """Read what `write_climate` wrote.

    Raises
    ------
    InputError
        It is no such file.
    """
    grid, stored, tags = read_bands(path)
    try:
        constants = [float(tags[name]) for name in (_LAPSE, _GRAVITY, _SHORELINE)]
        made = provenance.from_json(tags[_PROVENANCE])
        bands = np.moveaxis(stored, -1, 0).astype(np.float32)
        if len(bands) != 2 * MONTHS + 1:
            raise ValueError(f"it has {len(bands)} bands")
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is no climate of a body ({error}): make it again") from None
    monthly = MonthlyClimate(bands[:MONTHS], bands[MONTHS : 2 * MONTHS])
    return StoredClimate(grid, monthly, bands[-1], *constants), made


def write_base(
    path: Path, grid: PlanetGrid, levels: NDArray[np.uint8], made: Provenance, jpeg_quality: int | None = None
) -> None:
    """Publish base colours.

    Parameters
    ----------
    path : Path
    grid : PlanetGrid
    levels : (H, W, 6) uint8
        Red, green and blue of each cell as land, then as sea.
    made : Provenance
        Goes into its tags.
    jpeg_quality : int, optional
        Of what is published, 1 to 100; by default nothing is lost.
    """
    tags = made.tags() | {_PROVENANCE: provenance.to_json(made)}
    names = [f"{kind} {colour}" for kind in ("land", "sea") for colour in ("red", "green", "blue")]
    raster.write_strips(path, raster_grid(grid), [levels], len(names), "uint8", tags, 1.0, names, jpeg_quality)


def read_base(path: Path) -> tuple[PlanetGrid, NDArray[np.uint8], Provenance]:
    """Read what `write_base` wrote: (H, W, 6) uint8.

    Raises
    ------
    InputError
        It is no such file.
    """
    grid, levels, tags = read_bands(path)
    if levels.ndim != 3 or levels.shape[-1] != 6 or _PROVENANCE not in tags:
        raise InputError(f"{path} holds no base colours of a body: draw them with `snakemake planet`")
    return grid, levels, provenance.from_json(tags[_PROVENANCE])
