"""Any raster of heights of any body, in any format and CRS with an ellipsoid, drawn as regions are.

It is first put on a grid in degrees, as the source `files` does with one's own rasters; from there on a raster is a
region with the raster's bounds.
"""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS as ProjCRS
from pyproj.crs.coordinate_operation import EquidistantCylindricalConversion
from rasterio.crs import CRS

from terraform.config import Mosaics
from terraform.errors import InputError
from terraform.geo import raster as door
from terraform.geo.bodies import BODIES, Body
from terraform.geo.crs import degrees_crs, transformer
from terraform.geo.grid import Bounds, RasterGrid
from terraform.geo.heights import VOID, pack
from terraform.geo.resample import Axis
from terraform.learn.weights import TrainedGenerator
from terraform.mosaic import array, inputs
from terraform.mosaic.bands import GlobalGrid
from terraform.mosaic.base.choice import choose_base
from terraform.mosaic.checkpoint import open_checkpoint
from terraform.mosaic.inference import Predictor
from terraform.mosaic.output import stac
from terraform.mosaic.output.metadata import describe
from terraform.mosaic.output_grid import GridWindow, OutputGrid, from_raster, polar_stereographic
from terraform.mosaic.pipeline import StripRenderer, render
from terraform.sources.raster.assemble import result_grid
from terraform.sources.raster.classify import check_heights, classify_heights
from terraform.sources.raster.formats import Declared, Raster, open_raster
from terraform.sources.raster.georeference import (
    GeoreferencedRaster,
    georeference,
    require_centric,
)
from terraform.sources.raster.resample import planes
from terraform.storage.atomic_write import remove_file

_STRIP_ROWS = 256


def render_raster(
    weights: Path,
    elevation: Path,
    output: Path,
    settings: Mosaics,
    pixel_m: float | None = None,
    latitude_deg: float | None = None,
    resume: bool | None = None,
    base: str | None = None,
) -> None:
    """Draw any raster of heights of any body into one cloud-optimised GeoTIFF.

    Beside a map lies its STAC item, `<output>.item.json`.

    Whatever the raster's CRS, the result covers it in the equirectangular CRS of its body at 200 m (on the equator),
    on the same whole-planet grid as regions, or on the map that the settings name; nodata stays nodata. A raster
    without a CRS, or an `.npy`, takes a pixel size and a latitude, and the result has 200 m pixels on a plane.

    Parameters
    ----------
    elevation : Path
        Any format that the source `files` reads, or `.npy`, metres.
    output : Path
        The file to write; for an `.npy` also `.png` or `.npy`.
    pixel_m, latitude_deg : float, optional
        For a raster that does not say where it lies.
    resume : bool or None
        What to do with strips of an unfinished drawing; see `checkpoint`.
    base : str, optional
        A raster of base colours, or a colour; see `choose_base`.

    Raises
    ------
    InputError
        It is no raster of heights, or its heights look like a radius or another unit.
    """
    trained = inputs.load_generator(weights, settings)
    if elevation.suffix.lower() == ".npy" or (pixel_m is not None and latitude_deg is not None):
        array.draw(trained, elevation, output, settings, pixel_m, latitude_deg, base)
    else:
        render_georeferenced(weights, trained, elevation, output, settings, resume, base)


def render_georeferenced(
    weights: Path, trained: TrainedGenerator, elevation: Path, output: Path, settings: Mosaics, resume: bool | None,
    base: str | None = None,
) -> None:  # fmt: skip
    """Draw a raster that has a CRS or control of its own with a generator that is loaded; see `render_raster`."""
    with open_raster(elevation, Declared()) as raster:
        check_heights(raster)
        body = body_of(raster.crs, elevation.name)
        require_centric(raster, body)
        placed = georeference(raster, body)
        chosen = choose_base(base, trained, body)
        label = describe(trained, elevation, placed.pixel_m, chosen and chosen.provenance)
        bounds = bounds_of(placed)
        target = _target(raster, body, bounds, settings)
        identity = inputs.mosaic_fingerprint(weights, elevation, trained, settings, list(bounds), "raster", chosen)
        with open_checkpoint(output, identity, resume) as strips:
            degrees = strips.folder / "elevation.tif"
            # A link is made anew: where it leads, the raster may have moved away.
            if degrees.is_symlink() or not degrees.exists():
                _write_degrees(placed, bounds, degrees, _is_download(elevation))
            with door.opened(degrees) as dataset:
                relief = inputs.elevation_model(inputs.elevation_raster(dataset, body), body, settings)
                renderer = StripRenderer(
                    Predictor(trained, settings), relief, chosen and chosen.make(relief.source, relief.shoreline_m)
                )
                render(renderer, target, output, settings, label.tags(), strips)
    title = f"{elevation.name}, terraformed"
    beside = output.with_suffix(".item.json")
    stac.write_item(beside, output.stem, title, body, target.frame, output.name, label)


def _target(raster: Raster, body: Body, bounds: Bounds, settings: Mosaics) -> GridWindow | OutputGrid:
    """Choose the map that the settings name."""
    view = GridWindow.of(body, bounds, None)
    if settings.grid == "polar":
        return polar_stereographic(body, view, bounds, None)
    if settings.grid == "input":
        return from_raster(view, (raster.height, raster.width), raster.transform, raster.crs, body, None)
    return view


def body_of(crs: CRS, name: str) -> Body:
    """Find the body of a CRS: one that is known, or one made from its ellipsoid, of which nothing else is known.

    Raises
    ------
    InputError
        The CRS has no ellipsoid.
    """
    radius = door.semi_major_axis_m(crs)
    for body in BODIES.values():
        if abs(radius / body.radius_m - 1) < 0.01:
            return body
    geodetic = ProjCRS.from_wkt(crs.to_wkt()).geodetic_crs
    if geodetic is None or geodetic.ellipsoid is None:
        raise InputError(f"{name} is in {crs}, which has no longitudes and latitudes: warp it to a geographic CRS")
    title = (geodetic.datum.name if geodetic.datum else geodetic.name).removeprefix("D_")
    return Body(title.lower(), radius, geodetic.to_wkt(), _map_of(geodetic, title), -math.inf, math.inf)


def _map_of(geodetic: ProjCRS, title: str) -> str:
    """Make an equirectangular CRS on a body's own ellipsoid, as WKT."""
    from pyproj.crs import ProjectedCRS

    found = ProjectedCRS(EquidistantCylindricalConversion(), f"{title} equirectangular", geodetic_crs=geodetic)
    return found.to_wkt()


def bounds_of(placed: GeoreferencedRaster) -> Bounds:
    """West, south, east, north of a raster, degrees; west < east, and east may pass 180.

    Raises
    ------
    InputError
        No point of its outline has a longitude and latitude.
    """
    raster = placed.raster
    if placed.axes is not None:
        rows, columns = placed.axes
        south, north = sorted((rows.origin, rows.end))
        return _turned(columns.origin, max(-90.0, south), columns.end, min(90.0, north))
    lon, lat = _outline(raster, placed.body)
    good = np.isfinite(lon) & np.isfinite(lat)
    if not good.any():
        raise InputError(f"{raster.name} lies nowhere on its body in {raster.crs}: is its georeference right?")
    south, north = float(lat[good].min()), float(lat[good].max())
    poles = [pole for pole in (-90.0, 90.0) if _holds(raster, placed.body, pole)]
    south, north = min([south, *poles]), max([north, *poles])
    if poles:
        return Bounds(-180.0, south, 180.0, north)
    # The narrowest arc that holds all longitudes begins after the widest gap.
    around = np.sort(lon[good] % 360)
    gaps = np.diff(np.append(around, around[0] + 360))
    widest = int(gaps.argmax())
    west = float(around[(widest + 1) % len(around)])
    return _turned(west, south, west + 360 - float(gaps[widest]), north)


def _turned(west: float, south: float, east: float, north: float) -> Bounds:
    if east - west >= 360 - 1e-6:
        return Bounds(-180.0, south, 180.0, north)
    turn = 360 * math.floor((west + 180) / 360)
    return Bounds(west - turn, south, east - turn, north)


def _outline(raster: Raster, body: Body) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes of points along the edges and on a net over a raster."""
    columns, rows = np.meshgrid(np.linspace(0, raster.width, 65), np.linspace(0, raster.height, 65))
    t = raster.transform
    x, y = t.c + t.a * columns + t.b * rows, t.f + t.d * columns + t.e * rows
    lon, lat = transformer(raster.crs, degrees_crs(raster.crs, body)).transform(x.ravel(), y.ravel())
    return np.asarray(lon), np.asarray(lat)


def _holds(raster: Raster, body: Body, pole: float) -> bool:
    x, y = transformer(degrees_crs(raster.crs, body), raster.crs).transform([0.0, 90.0], [pole, pole])
    if not np.isfinite([*x, *y]).all() or abs(x[0] - x[1]) > 1 or abs(y[0] - y[1]) > 1:
        return False
    t = ~raster.transform
    column, row = t.c + t.a * x[0] + t.b * y[0], t.f + t.d * x[0] + t.e * y[0]
    return bool(0 <= column <= raster.width and 0 <= row <= raster.height)


def _is_download(path: Path) -> bool:
    """Written by this project: then -32767 is sea, and -32768 void."""
    if path.suffix.lower() not in (".tif", ".tiff"):
        return False
    with door.opened(path) as dataset:
        ours = str(dataset.tags().get("SOFTWARE", "")).startswith("terraform")
        return bool(ours and dataset.dtypes[0] == "int16" and dataset.nodata == VOID)


def _write_degrees(placed: GeoreferencedRaster, bounds: Bounds, path: Path, download: bool) -> None:
    """Write heights on a grid in degrees: the raster's own where it is in degrees, else 200 m or finer."""
    if download:
        # Already what is wanted; its sea must not be taken for a void.
        remove_file(path)
        path.symlink_to(Path(placed.raster.name).resolve())
        return
    grid = result_grid(_window(placed.body, bounds), [placed])
    found = False

    def strips() -> Iterator[NDArray[np.int16]]:
        nonlocal found
        for top in range(0, grid.latitudes.count, _STRIP_ROWS):
            rows = grid.latitudes.part(top, min(top + _STRIP_ROWS, grid.latitudes.count))
            strip = _strip(placed, RasterGrid(placed.body, rows, grid.longitudes))
            found = found or bool((strip != VOID).any())
            yield strip
        if not found:
            raise InputError(
                f"{placed.raster.name} has no heights: every pixel is missing, or it is smaller than 200 m"
            )

    door.write_strips(path, grid, strips(), 1, "int16", {})


def _strip(placed: GeoreferencedRaster, block: RasterGrid) -> NDArray[np.int16]:
    sort = partial(classify_heights, body=placed.body, missing_is_sea=False)
    made = planes(placed, block, sort, 1)
    if made is None:
        return np.full((block.latitudes.count, block.longitudes.count), VOID, np.int16)
    void = made.valid < 0.5 - 1e-6
    return pack(made.total[..., 0] / np.maximum(made.valid, 1e-6), np.zeros_like(void), void)


def _window(body: Body, bounds: Bounds) -> RasterGrid:
    """Cover bounds with a grid of 200 m pixels, as wide on its most equatorward parallel."""
    west, south, east, north = bounds
    height = GlobalGrid(body.radius_m).pixel_deg
    equatorward = 0.0 if south <= 0 <= north else min(abs(south), abs(north))
    width = height / max(0.02, math.cos(math.radians(equatorward)))
    columns, rows = max(1, math.ceil((east - west) / width)), max(1, math.ceil((north - south) / height))
    if east - west >= 360:
        return RasterGrid(body, Axis(north, -height, rows), Axis(west, 360 / columns, columns))
    return RasterGrid(body, Axis(north, -height, rows), Axis(west, width, columns))
