"""NetCDF files as rasters: one variable, its rows evenly spaced."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.transform import Affine

from terraform.errors import InputError
from terraform.geo import raster as door
from terraform.sources.raster.formats import Pixels, Raster, Span, describe_dataset
from terraform.sources.raster.metadata.declared import Declared

SUFFIXES = (".nc", ".nc4", ".cdf")


@contextmanager
def open_netcdf(
    path: Path, declared: Declared, wanted: Sequence[str], own_crs: bool = False
) -> Iterator[tuple[Raster, str | None]]:
    """Open one variable of a NetCDF.

    Latitudes that are not evenly spaced (the Gaussian grids of spectral models) are interpolated linearly onto as many
    rows that are. What lies outside `valid_min`, `valid_max` or `valid_range` is missing; `positive: down`, and depths
    by their standard name, count downwards (CF 1.11, sections 2.5.1 and 4.3).

    Parameters
    ----------
    declared : Declared
        CRS and missing value; the CRS that GDAL assumes of such files is not used.
    wanted : sequence of str
        Names of variables, the best first; where there is none of them, the file must have one variable alone.
    own_crs : bool
        Use the CRS that the variable names (`grid_mapping`).

    Yields
    ------
    Raster
    str or None
        The unit that the file states.

    Raises
    ------
    InputError
        The file is damaged, has no such variable, or several.
    """
    name = _chosen(path, wanted, own_crs)
    # The only variable may lie in a group, of which GDAL then tells no name.
    alone = len(variables_of(path)) == 1
    with door.opened(path, "netCDF", variable=None if alone else name) as dataset:
        unit = dataset.units[0] or None
        transform, nodata = dataset.transform, dataset.nodata
        latitudes = _latitudes(dataset)
        named = own_crs and "grid_mapping" in dataset.tags(1)
        raster = describe_dataset(path, dataset, declared, own_crs=named)
        tags = dataset.tags(1)
        raster = replace(
            raster, downwards=_counts_downwards(tags), read=_within(_valid_range(tags, dataset), raster.read)
        )
        if latitudes is not None:
            first, last = _edges(latitudes)
            rows = Affine(transform.a, 0, transform.c, 0, (last - first) / dataset.height, first)
            whole = _evened(raster.read, latitudes, raster, nodata)
            raster = replace(raster, transform=rows, read=_in_memory(whole), nodata=None, dtype="float32")
        yield raster, unit


def _counts_downwards(tags: Mapping[str, str]) -> bool:
    name = tags.get("standard_name", "")
    down = name == "depth" or name.startswith("sea_floor_depth_below")
    return tags.get("positive", "down" if down else "up").lower() == "down"


def _valid_range(tags: Mapping[str, str], dataset: Any) -> tuple[float, float]:
    """Find the smallest and the largest value that count, unpacked; they are stated packed."""
    try:
        given = [float(text) for text in tags.get("valid_range", "").strip("{} ").split(",") if text.strip()]
        least, most = given if len(given) == 2 else (-math.inf, math.inf)
        least, most = float(tags.get("valid_min", least)), float(tags.get("valid_max", most))
    except ValueError:
        return -math.inf, math.inf
    low, high = sorted(value * dataset.scales[0] + dataset.offsets[0] for value in (least, most))
    return low, high


def _within(valid: tuple[float, float], read: Callable[[Span, Span], Pixels]) -> Callable[[Span, Span], Pixels]:
    """Hide what lies outside a range; rounding aside."""
    if not np.isfinite(valid).any():
        return read
    low, high = (edge + step * 1e-6 * max(1.0, abs(edge)) for edge, step in zip(valid, (-1, 1), strict=True))

    def window(rows: Span, columns: Span) -> Pixels:
        found = read(rows, columns)
        outside = ~((found.values >= low) & (found.values <= high))
        return Pixels(found.values, outside if found.hidden is None else found.hidden | outside)

    return window


def _edges(latitudes: NDArray[np.float64]) -> tuple[float, float]:
    """Find the northern and the southern edge of rows: the poles, where the rows are those of a whole body."""
    step = (latitudes[0] - latitudes[-1]) / (len(latitudes) - 1)
    if latitudes[0] + step >= 90 and latitudes[-1] - step <= -90:
        return 90.0, -90.0
    return float(latitudes[0] + step / 2), float(latitudes[-1] - step / 2)


def variables_of(path: Path) -> list[str]:
    """Name the variables of a NetCDF that are rasters.

    Raises
    ------
    InputError
        It cannot be opened.
    """
    with door.opened(path, "netCDF") as dataset:
        inside = [name.rpartition(":")[2] for name in dataset.subdatasets]
        return inside or [str(dataset.tags(1).get("NETCDF_VARNAME", ""))]


def _chosen(path: Path, wanted: Sequence[str], as_own: bool) -> str:
    found = [name for name in variables_of(path) if not re.search(r"bnds|bounds", name)]
    best = next((name for name in wanted if name in found), None)
    if best is not None:
        return best
    if len(found) == 1:
        return found[0]
    how = "choose one with `variable:`"
    if as_own:
        how = f"take one out, gdal_translate 'NETCDF:\"{path.name}\":{found[0] if found else 'NAME'}' OUT.tif"
    raise InputError(f"{path} has the variables {', '.join(found) or 'none'}: {how}")


def _latitudes(dataset: Any) -> NDArray[np.float64] | None:
    """Latitudes of the rows where they are not evenly spaced, (H,) degrees, north to south."""
    given = dataset.tags(ns="GEOLOCATION2").get("Y_VALUES")
    if given is None:
        return None
    values = np.array([float(text) for text in given.strip("{} ").split(",")])
    return values if values[0] > values[-1] else values[::-1]


def _evened(
    read: Callable[[Span, Span], Pixels], latitudes: NDArray[np.float64], raster: Raster, nodata: float | None
) -> NDArray[np.float32]:
    found = read((0, raster.height), (0, raster.width))
    values = found.values.astype(np.float32)
    if nodata is not None:
        values[values == np.float32(nodata)] = np.nan
    if found.hidden is not None:
        values[found.hidden] = np.nan
    north, south = _edges(latitudes)
    even = north + (np.arange(raster.height) + 0.5) * (south - north) / raster.height
    at = np.interp(-even, -latitudes, np.arange(raster.height))
    first = np.clip(np.floor(at).astype(int), 0, raster.height - 2)
    share = (at - first).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[first] * (1 - share) + values[first + 1] * share, np.float32)


def _in_memory(values: NDArray[Any]) -> Callable[[Span, Span], Pixels]:
    return lambda rows, columns: Pixels(values[slice(*rows), slice(*columns)], None)
