"""NetCDF files as rasters: one variable, its rows evenly spaced."""

import re
from collections.abc import Callable, Iterator, Sequence
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
    rows that are.

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
    name = _chosen(path, wanted)
    with door.opened(path, "netCDF", variable=name) as dataset:
        unit = dataset.units[0] or None
        transform, nodata = dataset.transform, dataset.nodata
        latitudes = _latitudes(dataset)
        named = own_crs and "grid_mapping" in dataset.tags(1)
        raster = describe_dataset(path, dataset, declared, own_crs=named)
        if latitudes is not None:
            rows = Affine(transform.a, 0, transform.c, 0, -180 / dataset.height, 90.0)
            whole = _evened(raster.read, latitudes, raster, nodata)
            raster = replace(raster, transform=rows, read=_in_memory(whole), nodata=None, dtype="float32")
        yield raster, unit


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


def _chosen(path: Path, wanted: Sequence[str]) -> str:
    found = [name for name in variables_of(path) if not re.search(r"bnds|bounds", name)]
    best = next((name for name in wanted if name in found), None)
    if best is not None:
        return best
    if len(found) == 1:
        return found[0]
    raise InputError(f"{path} has the variables {', '.join(found) or 'none'}: choose one with `variable:`")


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
    values = read((0, raster.height), (0, raster.width)).values.astype(np.float32)
    if nodata is not None:
        values[values == np.float32(nodata)] = np.nan
    step = 180 / raster.height
    even = 90 - (np.arange(raster.height) + 0.5) * step
    at = np.interp(-even, -latitudes, np.arange(raster.height))
    first = np.clip(np.floor(at).astype(int), 0, raster.height - 2)
    share = (at - first).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[first] * (1 - share) + values[first + 1] * share, np.float32)


def _in_memory(values: NDArray[Any]) -> Callable[[Span, Span], Pixels]:
    return lambda rows, columns: Pixels(values[slice(*rows), slice(*columns)], None)
